import type { Recorder } from '../../audit/record.js';
import { storedReceipt } from '../../audit/stored-receipt.js';
import type { Clock } from '../../base/clock.js';
import type { Exchange, Stage } from '../../base/exchange.js';
import type { Logger } from '../../base/log.js';
import type { Database } from '../../store/database.js';
import { closingRecord } from '../call-record.js';
import { writeOpening } from '../opening.js';
import { DataExchange } from '../exchanges.js';
import { receiptWanted } from '../receipt-wanted.js';
import { nameSubjects, type SubjectParts } from '../subjects.js';

export interface RecordParts extends SubjectParts {
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly database: Database;
  readonly log: Logger;
}

/** Many clients and proxies take no more than 16 kB of headers in all. */
const RECEIPT_HEADER_BYTES = 12_288;
/** Refusals that keep a node from doing too much must not make it do more. */
const SPARING = new Set(['rate_limited', 'overloaded']);

/** The record is durable whatever becomes of this: who does not get a receipt now can ask for it later. */
async function receiptHeader(exchange: Exchange, index: number, parts: RecordParts): Promise<string | null> {
  if (exchange.problem !== null && SPARING.has(exchange.problem.code)) return null;
  try {
    const receipt = await storedReceipt(parts.database, index);
    const header = receipt === null ? null : `:${Buffer.from(receipt, 'utf8').toString('base64')}:`;
    return header === null || header.length > RECEIPT_HEADER_BYTES ? null : header;
  } catch (error) {
    parts.log.warn({ err: error, id: exchange.id }, 'a receipt could not be made');
    return null;
  }
}

async function addReceipt(exchange: Exchange, index: number | null, parts: RecordParts): Promise<void> {
  const { extraHeaders, id } = exchange;
  const link = `</api/audit/records/${id}/receipt>; rel="receipt"`;
  const others = extraHeaders['Link'];
  extraHeaders['Link'] = others === undefined ? link : `${others}, ${link}`;
  const header = index === null ? null : await receiptHeader(exchange, index, parts);
  if (header !== null) extraHeaders['Lgsp-Receipt'] = header;
}

/**
 * Writes how the attempt ended. The answer, or the refusal, leaves only after this resolved. How a streamed body ends is
 * not known yet: it has an opening record now, and its closing one by `recordEnd`.
 *
 * @returns the place of the closing record; null while there is none
 */
async function write(exchange: Exchange, parts: RecordParts): Promise<number | null> {
  const { recorder, clock } = parts;
  if (exchange instanceof DataExchange) nameSubjects(exchange, parts);
  if (exchange.answer?.stream === undefined)
    return (await recorder.write(closingRecord(exchange, clock.now()))).index;
  if (exchange.opening === null) await writeOpening(exchange, recorder, clock);
  return null;
}

export function record(parts: RecordParts): Stage {
  return {
    name: 'record',
    needs: [],
    gives: ['recorded'],
    async run(exchange) {
      const index = await write(exchange, parts);
      exchange.extraHeaders['Lgsp-Record'] = exchange.id;
      if (receiptWanted(exchange.request.headers['want-receipt'])) await addReceipt(exchange, index, parts);
    },
  };
}

/** Writes how a streamed body ended: how much of it left, its digest, and whether the caller took all of it. */
export function recordEnd({ recorder, clock }: { recorder: Recorder; clock: Clock }): Stage {
  return {
    name: 'record',
    needs: ['recorded'],
    gives: [],
    async run(exchange) {
      await recorder.write(closingRecord(exchange, clock.now()));
    },
  };
}
