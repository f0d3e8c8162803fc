import { BUNDLE_TYPE } from '../../audit/evidence/format.js';
import { makeBundle } from '../../audit/evidence/make.js';
import { localTime } from '../../audit/export/columns.js';
import { EXPORT_TYPES, type ExportFormat, exportRecords } from '../../audit/export/export.js';
import { recordPages } from '../../audit/export/pages.js';
import { type PublishedKeys, publishedKeys } from '../../audit/published-keys.js';
import { type FoundRecord, latestCheckpoint, type RecordScope } from '../../audit/search.js';
import type { RecordReader } from '../../audit/search/reader.js';
import { summariseRecords } from '../../audit/search/summary.js';
import type { AnswerStream } from '../../base/exchange.js';
import { Problem } from '../../base/problem.js';
import { actorOf } from '../actor.js';
import type { ControlCall, ControlContext, ControlResult } from '../handler.js';
import { invalid, notFound } from '../refusals.js';
import { type Asked, conditions, searchAct } from './filters.js';
import { assertMayBundle, visible } from './rules.js';

/** Exports that run at once on one node. */
const MOST_AT_ONCE = 2;

/** A table of records, or one file that proves them. */
export type AskedFormat = ExportFormat | 'bundle';

interface ExportAsk {
  readonly asked: Asked;
  readonly scope: RecordScope;
  readonly format: AskedFormat;
  readonly caller: ControlCall['caller'];
  readonly reader: RecordReader;
  /** The log as it was when it was asked for. */
  readonly head: { readonly size: number; readonly note: string };
}

function tooLarge(most: number, total: number): Problem {
  return invalid(
    '/query',
    'exportRows',
    `có từ ${total} bản ghi trở lên, mỗi lần trích xuất tối đa ${most}; hãy thu hẹp khoảng thời gian`,
    `meets ${total} records or more, and an export holds ${most} at most; narrow the time`,
  );
}

const overloaded = (): Problem =>
  new Problem('overloaded', {
    detail: {
      vi: 'Đang có lượt trích xuất khác; hãy thử lại sau ít phút.',
      en: 'Other exports are under way; try again in a few minutes.',
    },
    rule: { kind: 'limit', id: 'record.exports', state: 'exceeded' },
    headers: { 'Retry-After': '30' },
  });

/** Exports of this node. */
export class Exports {
  readonly #context: ControlContext;
  #running = 0;

  constructor(context: ControlContext) {
    this.#context = context;
  }

  /**
   * @throws Problem `request_invalid` when more is asked for than one export holds; `role_required` for a bundle, where
   * part of it is not the caller's to see; `overloaded`
   */
  async start(ask: Omit<ExportAsk, 'head'>): Promise<ControlResult> {
    const { format } = ask;
    if (format === 'bundle') assertMayBundle(ask.caller);
    const most = this.#context.config.record.exportRows;
    if (this.#running >= MOST_AT_ONCE) throw overloaded();
    const head = await latestCheckpoint(ask.reader);
    if (head === null) throw notFound();
    const { total } = await summariseRecords(ask.reader, ask.asked.query, ask.scope);
    if (total > most) throw tooLarge(most, total);
    const stamp = new Date(this.#context.clock.now()).toISOString().replace(/[-:]|\.\d+/g, '');
    const asked = { ...ask, head };
    const stream =
      format === 'bundle' ? await this.#bundle(asked, most) : this.#stream({ ...asked, format }, most);
    const [type, ending] =
      format === 'bundle' ? [BUNDLE_TYPE, 'lgsp-evidence.zip'] : [EXPORT_TYPES[format], format];
    return {
      status: 200,
      headers: {
        'content-type': type,
        'content-disposition': `attachment; filename="nhat-ky-${stamp}.${ending}"`,
        'lgsp-tree-size': String(head.size),
      },
      act: stream.act(),
      stream,
    };
  }

  async #bundle(ask: ExportAsk, most: number): Promise<AnswerStream> {
    const { database } = this.#context;
    const keys = await publishedKeys(database);
    if (keys === null) throw notFound();
    const { progress, chunks } = this.#made(ask, keys, most);
    return {
      chunks: () => this.#counted(chunks()),
      act: () => {
        const { count, cut } = progress();
        return this.#act(ask, count, cut);
      },
    };
  }

  #made({ asked, scope, caller, reader, head }: ExportAsk, keys: PublishedKeys, most: number) {
    const made = new Date(this.#context.clock.now()).toISOString();
    const maker = { name: actorOf(caller), agency: caller.agency };
    const selection = { query: asked.query, scope, most };
    const about = { made, maker, scope: { ...scope }, filters: conditions(asked) };
    return makeBundle({ database: this.#context.database, reader, selection, head, keys, about });
  }

  #stream(ask: ExportAsk & { readonly format: ExportFormat }, most: number): AnswerStream {
    const { asked, scope, format, caller, reader, head } = ask;
    let count = 0;
    let cut = false;
    const pages = async function* (): AsyncGenerator<readonly FoundRecord[]> {
      const ask = { query: asked.query, scope, below: head.size, most, cut: () => (cut = true) };
      for await (const page of recordPages(reader, ask)) {
        count += page.length;
        yield page.map((one) => visible(caller, one));
      }
    };
    const chunks = () => exportRecords(format, pages(), () => this.#particulars(ask, count, cut));
    return {
      chunks: () => this.#counted(chunks()),
      act: () => this.#act(ask, count, cut),
    };
  }

  #act({ asked, format, head }: ExportAsk, count: number, cut: boolean) {
    return searchAct(this.#context, 'export', asked, {
      ...{ format, treeSize: head.size },
      ...(count > 0 ? { count } : {}),
      ...(cut ? { cut } : {}),
    });
  }

  async *#counted(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    this.#running += 1;
    try {
      yield* chunks;
    } finally {
      this.#running -= 1;
    }
  }

  #particulars({ asked, caller, head }: ExportAsk, count: number, cut: boolean) {
    const now = new Date(this.#context.clock.now()).toISOString();
    const filters = Object.entries(asked.filters).filter(([name]) => name !== 'format');
    return [
      ['Người trích xuất', actorOf(caller)],
      ['Cơ quan', caller.agency],
      ['Thời điểm (giờ Việt Nam)', localTime(now) ?? ''],
      ['Thời điểm (RFC 3339)', now],
      ['Số bản ghi', count],
      ['Còn bản ghi ngoài giới hạn của một lần trích xuất', cut ? 'có' : 'không'],
      ['Số bản ghi của nhật ký lúc trích xuất', head.size],
      ['Điểm kiểm tra', head.note],
      ...filters.map(([name, value]) => [`Điều kiện: ${name}`, String(value)] as const),
    ] as const;
  }
}
