import { CommandFailure } from '../failure.js';
import type { TreePerson } from '../tree-people.js';
import type { Session, Step } from './session.js';
import { type AccountState, assertGround, stateSteps, termSteps } from './states.js';

interface Person {
  readonly id: string;
  readonly agency: string;
  readonly name: string;
  readonly email: string | null;
  readonly roles: readonly string[];
  readonly state: AccountState;
  readonly validTo: string | null;
}

const pathOf = (id: string): string => `/people/${encodeURIComponent(id)}`;
const labelOf = (id: string): string => `person ${id}`;
const sorted = (roles: readonly string[]): string => [...roles].sort().join(', ');

const wantedState = ({ id, state, document, reason, emergency }: TreePerson) => ({
  ...{ label: labelOf(id), path: pathOf(id), state },
  ...{ document, reason, emergency },
});

const wantedTerm = ({ id, validTo, document, reason }: TreePerson) => ({
  ...{ label: labelOf(id), path: pathOf(id), validTo },
  ...{ document, reason },
});

async function register(session: Session, person: TreePerson): Promise<void> {
  assertGround(wantedState(person));
  const { id, agency, name, email, roles, document, validFrom, validTo } = person;
  if (session.options.dryRun !== true) session.assertMayMake(id);
  const asked = { id, agency, name, email, roles, document, validFrom, validTo };
  const run = async (): Promise<void> => {
    // What is undefined is left out on the way, as JSON does.
    const answer = (await session.send(labelOf(id), 'POST', '/people', asked)) as {
      temporaryPassword: string;
    };
    session.keep({ id, agency, auth: 'password', password: answer.temporaryPassword });
  };
  const steps = [{ name: 'register', run }, ...stateSteps(session, wantedState(person), 'active')];
  await session.carryOut('person', id, true, steps);
}

function changeSteps(session: Session, now: Person, wanted: TreePerson): Step[] {
  const { id, document } = wanted;
  const name = wanted.name.normalize('NFC').trim();
  const email = wanted.email ?? null;
  const change = {
    ...(now.name === name ? {} : { name }),
    ...(now.email === email ? {} : { email }),
    ...(sorted(now.roles) === sorted(wanted.roles) ? {} : { roles: wanted.roles, document }),
  };
  const fields = Object.keys(change).filter((field) => field !== 'document');
  if (fields.length === 0) return [];
  return [{ name: fields.join(', '), run: () => session.send(labelOf(id), 'PATCH', pathOf(id), change) }];
}

export async function applyPerson(session: Session, person: TreePerson): Promise<void> {
  const now = await session.find<Person>(pathOf(person.id));
  if (now === null) {
    await register(session, person);
    return;
  }
  if (now.agency !== person.agency)
    throw new CommandFailure(`${labelOf(now.id)}: they belong to ${now.agency}, not to ${person.agency}`);
  const changes = now.state === 'revoked' ? [] : changeSteps(session, now, person);
  const term = now.state === 'revoked' ? [] : termSteps(session, wantedTerm(person), now.validTo);
  const steps = [...changes, ...term, ...stateSteps(session, wantedState(person), now.state)];
  await session.carryOut('person', person.id, false, steps);
}
