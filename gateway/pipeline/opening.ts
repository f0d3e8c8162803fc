import type { Recorder } from '../audit/record.js';
import type { Clock } from '../base/clock.js';
import type { Exchange } from '../base/exchange.js';
import { uuidv7 } from '../base/ids.js';
import { openingRecord } from './call-record.js';

/** Makes it durable that something is about to be changed: a crash in between leaves this trace. */
export async function writeOpening(exchange: Exchange, recorder: Recorder, clock: Clock): Promise<void> {
  const id = uuidv7(clock.now());
  await recorder.write(openingRecord(exchange, id));
  exchange.opening = id;
}
