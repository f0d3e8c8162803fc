import type { CheckContext, ConnectorSetup, OperationFacts, SetupFault } from '../connector.js';
import { rootSources } from '../mapping/mapping.js';
import { parseSource, TemplateError } from '../mapping/template.js';
import {
  expressionFaults,
  secretFaults,
  setupFault,
  sourceFaults,
  templateFaults,
  type Names,
} from '../setup-fault.js';
import { mayTemplate } from './headers.js';
import { pathTemplate } from './request.js';
import type { HttpBinding, HttpSettings, QueryBinding } from './settings.js';

type Path = readonly PropertyKey[];

const SETTINGS: Path = ['connector', 'settings'];

/** The port that the address dials. */
export function portOf(url: URL): number {
  if (url.port !== '') return Number(url.port);
  return url.protocol === 'https:' ? 443 : 80;
}

function addressFaults(baseUrl: string, context: CheckContext): SetupFault[] {
  const path = [...SETTINGS, 'baseUrl'];
  const bad = (vi: string, en: string): SetupFault[] => [setupFault(path, 'address', vi, en)];
  if (!URL.canParse(baseUrl)) return bad('Không phải địa chỉ http(s)', 'Not an http(s) address');
  const url = new URL(baseUrl);
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    return bad('Chỉ dùng http hoặc https', 'Only http or https');
  if (url.username !== '' || url.password !== '')
    return bad('Địa chỉ không được chứa tài khoản; dùng auth', 'An address holds no account; use auth');
  if (url.search !== '' || url.hash !== '')
    return bad('Địa chỉ không có ? hoặc #', 'The address has no ? or #');
  try {
    context.egress.assertHost(url.hostname, portOf(url));
    return [];
  } catch {
    return [
      setupFault(
        path,
        'egress',
        'Cấu hình của nền tảng không cho phép kết nối đến địa chỉ này',
        'The configuration of the gateway does not allow this address',
      ),
    ];
  }
}

function headerFaults(headers: Readonly<Record<string, string>>, names: Names, path: Path): SetupFault[] {
  return Object.entries(headers).flatMap(([name, text]) => {
    const place = [...path, name];
    if (mayTemplate(name)) return templateFaults(text, names, place);
    return [setupFault(place, 'header', 'Phần đầu này do nền tảng đặt', 'This header is set by the gateway')];
  });
}

function authFaults(settings: HttpSettings, names: Names): SetupFault[] {
  const { auth } = settings;
  if (auth === undefined) return [];
  const path = [...SETTINGS, 'auth'];
  const texts =
    auth.type === 'basic' ? { username: auth.username, password: auth.password } : { token: auth.token };
  const onlyCredentials: Names = { facts: null, credentials: names.credentials };
  return Object.entries(texts).flatMap(([key, text]) => [
    ...templateFaults(text, onlyCredentials, [...path, key]),
    ...(key === 'username' ? [] : secretFaults(text, [...path, key])),
  ]);
}

function pathFaults(binding: HttpBinding, names: Names, path: Path): SetupFault[] {
  if (binding.path === undefined) return [];
  try {
    pathTemplate(binding.path);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    return [
      setupFault(
        [...path, 'path'],
        'template',
        `Đường dẫn không hợp lệ (${error.message})`,
        `The path is not valid: ${error.message}`,
      ),
    ];
  }
  return templateFaults(binding.path, names, [...path, 'path']);
}

function queryFaults(value: QueryBinding, names: Names, path: Path): SetupFault[] {
  return typeof value === 'string'
    ? templateFaults(value, names, path)
    : expressionFaults(value.from, names, [...path, 'from']);
}

const BODILESS: ReadonlySet<string> = new Set(['GET', 'HEAD']);

function bodyFaults(binding: HttpBinding, facts: OperationFacts, names: Names, path: Path): SetupFault[] {
  const { body } = binding;
  if (body === undefined || body === 'none' || body === 'pass') return [];
  const place = [...path, 'body'];
  if (BODILESS.has(binding.method ?? facts.method))
    return [setupFault(place, 'method', 'GET và HEAD không có nội dung', 'GET and HEAD carry no body')];
  return rootSources(body).flatMap((steps) => {
    const [root = '', ...rest] = steps;
    if (steps.length === 0) return [];
    try {
      const source =
        root === 'body' ? { root: 'body' as const, steps: rest } : parseSource(`${root}.${rest.join('.')}`);
      return sourceFaults([source], names, place);
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      return [
        setupFault(
          place,
          'source',
          `Không có nguồn ${steps.join('.')}`,
          `There is no source ${steps.join('.')}`,
        ),
      ];
    }
  });
}

function bindingFaults(
  id: string,
  binding: HttpBinding,
  facts: OperationFacts,
  credentials: readonly string[],
): SetupFault[] {
  const path: Path = ['operations', id];
  const names: Names = { facts, credentials };
  return [
    ...pathFaults(binding, names, path),
    ...Object.entries(binding.query ?? {}).flatMap(([name, value]) =>
      queryFaults(value, names, [...path, 'query', name]),
    ),
    ...headerFaults(binding.headers ?? {}, names, [...path, 'headers']),
    ...bodyFaults(binding, facts, names, path),
  ];
}

/** Rules that the schemas cannot say. */
export function checkHttp(
  setup: ConnectorSetup<HttpSettings, HttpBinding>,
  context: CheckContext,
): SetupFault[] {
  const credentials = context.credentialNames;
  const anywhere: Names = { facts: null, credentials };
  return [
    ...addressFaults(setup.settings.baseUrl, context),
    ...headerFaults(setup.settings.headers, anywhere, [...SETTINGS, 'headers']),
    ...authFaults(setup.settings, anywhere),
    ...setup.facts.flatMap((facts) => {
      const binding = setup.bindings[facts.operationId];
      return binding === undefined ? [] : bindingFaults(facts.operationId, binding, facts, credentials);
    }),
  ];
}
