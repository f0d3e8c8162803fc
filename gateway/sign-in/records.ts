import type { Recorder } from '../audit/record.js';
import type { RefusalFlood } from '../audit/refusal-flood.js';
import type { Clock } from '../base/clock.js';
import { uuidv7 } from '../base/ids.js';

/** What happened at the door. */
export type DoorAct =
  | 'sign_in'
  | 'sign_in_refused'
  | 'password_changed'
  | 'second_factor_set'
  | 'rules_accepted'
  | 'sign_out';

/** Notes what people do at the door, before they are told that it worked. */
export class SignInRecords {
  readonly #recorder: Recorder;
  readonly #clock: Clock;
  readonly #flood: Pick<RefusalFlood, 'counts'>;

  constructor(parts: { recorder: Recorder; clock: Clock; flood: Pick<RefusalFlood, 'counts'> }) {
    this.#recorder = parts.recorder;
    this.#clock = parts.clock;
    this.#flood = parts.flood;
  }

  /**
   * A refusal that is one of a flood is counted only.
   *
   * @param person - null for a name that nobody has: what was typed there may be a password, and is not kept
   * @throws Problem `record_unavailable`: then it did not happen
   */
  async note(
    act: DoorAct,
    person: { readonly id: string; readonly agency: string } | null,
    address: string,
    facts: Readonly<Record<string, unknown>> = {},
  ): Promise<void> {
    const refused = act === 'sign_in_refused';
    if (refused && this.#flood.counts({ address, plane: 'open', code: act })) return;
    await this.#recorder.write({
      v: 1,
      id: uuidv7(this.#clock.now()),
      kind: 'act',
      plane: 'open',
      received: new Date(this.#clock.now()).toISOString(),
      ...(person === null ? {} : { user: person.id, agency: person.agency }),
      address,
      outcome: refused ? 'refused' : 'answered',
      ...(refused ? { code: 'sign_in_refused' } : {}),
      target: { noun: 'sign_in', key: person?.id ?? 'unknown', after: { act, ...facts } },
    });
  }
}
