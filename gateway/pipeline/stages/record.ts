import type { Recorder } from '../../audit/record.js';
import type { Clock } from '../../base/clock.js';
import type { Stage } from '../../base/exchange.js';
import { closingRecord } from '../call-record.js';

/** Writes how the attempt ended. The answer, or the refusal, leaves only after this resolved. */
export function record({ recorder, clock }: { recorder: Recorder; clock: Clock }): Stage {
  return {
    name: 'record',
    needs: [],
    gives: ['recorded'],
    async run(exchange) {
      await recorder.write(closingRecord(exchange, clock.now()));
      exchange.extraHeaders['Lgsp-Record'] = exchange.id;
    },
  };
}
