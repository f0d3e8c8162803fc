import { isObject, listMember, member } from '../catalogue/json-tree.js';
import { type ApiDocument, parseDocument, type Place } from '../catalogue/document.js';
import type { PublishedService } from '../catalogue/published-service.js';
import { html, type Markup, prose } from './html.js';
import { type Language, linkTo, servicePath } from './language.js';
import { copyButton } from './layout.js';
import type { Entry } from './listing.js';
import { WORDS } from './words.js';

/** What a parameter's documentation gives as an example, in the order that people write it. */
function exampleOf(parameter: unknown): string | null {
  const schema = member(parameter, 'schema');
  const named = member(parameter, 'examples');
  const first = isObject(named) ? member(Object.values(named)[0], 'value') : undefined;
  const found = [
    member(parameter, 'example'),
    first,
    member(schema, 'example'),
    listMember(schema, 'examples')[0],
    member(schema, 'default'),
    listMember(schema, 'enum')[0],
  ].find((value): value is string | number | boolean =>
    ['string', 'number', 'boolean'].includes(typeof value),
  );
  return found === undefined ? null : String(found);
}

function parametersOf(document: ApiDocument, pathItem: unknown, operation: unknown): unknown[] {
  return [...listMember(pathItem, 'parameters'), ...listMember(operation, 'parameters')].map(
    (value) => document.resolve({ pointer: '', value } satisfies Place)?.value,
  );
}

/** The path and query of a GET, filled with examples; null when something required has none. */
function filled(document: ApiDocument, path: string, pathItem: unknown): string | null {
  const operation = member(pathItem, 'get');
  if (!isObject(operation)) return null;
  let result = path;
  const query = new URLSearchParams();
  for (const parameter of parametersOf(document, pathItem, operation)) {
    const name = member(parameter, 'name');
    const required = member(parameter, 'required') === true;
    const example = exampleOf(parameter);
    if (typeof name !== 'string' || (required && example === null)) return null;
    if (example === null) continue;
    if (member(parameter, 'in') === 'path') result = result.replace(`{${name}}`, encodeURIComponent(example));
    // The first example is enough to show how it is done; more of them may well contradict one another.
    else if (member(parameter, 'in') === 'query' && (required || query.size === 0)) query.set(name, example);
  }
  if (result.includes('{')) return null;
  return query.size === 0 ? result : `${result}?${query.toString()}`;
}

const known = new WeakMap<PublishedService, string | null>();

/** A call to paste, once the first step has put a token into `TOKEN`. */
export function curlCommand(address: string): string {
  return ['curl -s \\', '  -H "Authorization: Bearer $TOKEN" \\', `  '${address}'`].join('\n');
}

/** Path and query of a call that the service's document gives examples for; read once for each revision. */
export function exampleCall(service: PublishedService): string | null {
  const before = known.get(service);
  if (before !== undefined) return before;
  const { document } = parseDocument(service.document);
  const paths = document === null ? undefined : member(document.root, 'paths');
  const calls =
    document === null || !isObject(paths)
      ? []
      : Object.entries(paths).map(([path, item]) => filled(document, path, item));
  // What is shown is pasted into a shell, between quotes that a document must not close.
  const call = calls.find((found) => found !== null)?.replaceAll("'", '%27') ?? null;
  known.set(service, call);
  return call;
}

/** A few documents at most are read for an example; a list of thousands must not be. */
const LOOKED_AT = 8;

function exampleAddress(publicUrl: string, entries: readonly Entry[]): string {
  const simple = entries.filter(
    ({ state, service }) =>
      state === 'published' &&
      service.manifest.sharing === 'default' &&
      service.manifest.direction === 'provide',
  );
  const calls = simple.slice(0, LOOKED_AT).flatMap(({ service }) => {
    const call = exampleCall(service);
    return call === null ? [] : [`${servicePath(`${publicUrl}/data`, service.id)}${call}`];
  });
  // A call that asks for something shows more than one that cannot.
  return calls.find((call) => call.includes('?')) ?? calls[0] ?? `${publicUrl}/data/H35.…/…/v1/…`;
}

interface Step {
  readonly title: string;
  readonly text: string;
  readonly command: string;
}

function stepsOf(language: Language, publicUrl: string, address: string): readonly Step[] {
  const say = (vi: string, en: string): string => (language === 'vi' ? vi : en);
  return [
    {
      title: say('Lấy mã truy cập', 'Get an access token'),
      text: say(
        'Thay hai giá trị đầu bằng tài khoản kết nối mà đơn vị vận hành đã cấp cho hệ thống của cơ quan. Mã chỉ dùng được ít phút; hết hạn thì chạy lại lệnh này.',
        'Put in the connection account that the operating unit gave your system. The token lives for minutes; run this again when it has expired.',
      ),
      command: [
        'CLIENT_ID=…  CLIENT_SECRET=…',
        'TOKEN=$(curl -s \\',
        '  -u "$CLIENT_ID:$CLIENT_SECRET" \\',
        '  -d grant_type=client_credentials \\',
        `  ${publicUrl}/oidc/token |`,
        `  sed -E 's/.*"access_token":"([^"]+)".*/\\1/')`,
      ].join('\n'),
    },
    {
      title: say('Gọi một dịch vụ', 'Call a service'),
      text: say(
        'Kết quả được kiểm tra theo cấu trúc đã công bố trước khi trả về.',
        'The answer is checked against the published structure before you get it.',
      ),
      command: curlCommand(address),
    },
    {
      title: say('Đọc một lời từ chối', 'Read a refusal'),
      text: say(
        'Gọi không kèm mã truy cập: `code` nêu lý do, `remedy` nêu cách khắc phục, `instance` là mã bản ghi để tra cứu.',
        'Call without a token: `code` says why, `remedy` what to do, `instance` is the record to quote.',
      ),
      command: `curl -s '${address}'`,
    },
  ];
}

/** From "never heard of it" to a first real call: three commands to paste. */
export function quickStart(language: Language, publicUrl: string, entries: readonly Entry[]): Markup {
  const address = exampleAddress(publicUrl, entries);
  const steps = stepsOf(language, publicUrl, address).map(
    ({ title, text, command }) => html`<li><h3>${title}</h3><p>${prose(text)}</p>
<div class="command"><pre tabindex="0"><code>${command}</code></pre>${copyButton(language, command, title)}</div></li>`,
  );
  return html`<aside id="start" class="start" aria-labelledby="start-title">
<h2 id="start-title">${WORDS.start[language]}</h2>
<ol>${steps}</ol>
<p><a href="${linkTo(language, '/problems/')}">${WORDS.refusals[language]}</a></p>
</aside>`;
}
