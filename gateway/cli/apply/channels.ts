import { CommandFailure } from '../failure.js';
import type { TreeChannel } from '../tree-channels.js';
import type { Session, Step } from './session.js';

interface Channel {
  readonly id: string;
  readonly agency: string;
  readonly kind: string;
  readonly target: string;
  readonly kinds: readonly string[] | null;
  readonly active: boolean;
}

const pathOf = (id: string): string => `/channels/${encodeURIComponent(id)}`;
const labelOf = (id: string): string => `channel ${id}`;
const plain = (kinds: readonly string[] | null): string =>
  JSON.stringify(kinds === null ? null : [...kinds].sort());

async function open(session: Session, channel: TreeChannel): Promise<void> {
  const { id, agency, kind, target, kinds = null, secret, active } = channel;
  const makes = kind === 'webhook' && secret === null;
  if (makes && session.options.dryRun !== true) session.assertMayMake(id);
  const run = async (): Promise<void> => {
    const body = { id, agency, kind, target, kinds, ...(secret === null ? {} : { secret }) };
    const answer = (await session.send(labelOf(id), 'POST', '/channels', body)) as { secret?: string };
    if (answer.secret !== undefined) session.keep({ id, agency, auth: 'webhook', secret: answer.secret });
  };
  const off = () => session.send(labelOf(id), 'PATCH', pathOf(id), { active: false });
  const steps: Step[] = [{ name: 'open', run }, ...(active ? [] : [{ name: 'switch off', run: off }])];
  await session.carryOut('channel', id, true, steps);
}

export async function applyChannel(session: Session, channel: TreeChannel): Promise<void> {
  const { id, agency, kind, target, kinds = null, active, secret } = channel;
  const now = await session.find<Channel>(pathOf(id));
  if (now === null) {
    await open(session, channel);
    return;
  }
  if (now.agency !== agency || now.kind !== kind)
    throw new CommandFailure(`${labelOf(id)}: its agency and kind cannot be changed`);
  const change = {
    ...(now.target === target ? {} : { target }),
    ...(plain(now.kinds) === plain(kinds) ? {} : { kinds }),
    ...(now.active === active ? {} : { active }),
    // What is stored is shown to nobody, so that it cannot be compared.
    ...(secret !== null && session.options.refreshCredentials === true ? { secret } : {}),
  };
  const fields = Object.keys(change);
  const run = () => session.send(labelOf(id), 'PATCH', pathOf(id), change);
  await session.carryOut('channel', id, false, fields.length === 0 ? [] : [{ name: fields.join(', '), run }]);
}
