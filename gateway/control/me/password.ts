import { changing } from '../../store/changes.js';
import { findPerson, findProof, passwordsOf, type ProofRow, replaceProof } from '../../store/people.js';
import { Problem } from '../../base/problem.js';
import { endAttempts, endSessions, sessionsOf } from '../../store/sign-ins.js';
import type { ControlCall, ControlContext, ControlResult } from '../handler.js';
import { conflict, invalid, notFound } from '../refusals.js';

interface Asked {
  readonly current: string;
  readonly password: string;
}

async function assertCurrent({ passwords }: ControlContext, proof: ProofRow, plain: string): Promise<void> {
  const { right, lockedUntil } = await passwords.check(proof.person_id, proof.password_hash, plain);
  if (right) return;
  if (lockedUntil === null)
    throw invalid(
      '/body/current',
      'password',
      'không phải mật khẩu đang dùng',
      'is not the present password',
    );
  throw new Problem('rate_limited', {
    detail: {
      vi: 'Nhập sai mật khẩu quá nhiều lần; hãy thử lại sau.',
      en: 'Too many wrong passwords; try again later.',
    },
    rule: {
      kind: 'person',
      id: proof.person_id,
      state: 'locked_out',
      until: new Date(lockedUntil).toISOString(),
    },
  });
}

/** What may not be chosen, and what was in use before. @returns the hashes to be kept */
async function assertChoice(context: ControlContext, proof: ProofRow, plain: string): Promise<string[]> {
  const { passwords, database, config } = context;
  const person = await findPerson(database.knex, proof.person_id);
  if (person === undefined) throw notFound();
  const errors = passwords.faults(plain, person);
  const before = passwordsOf(proof);
  if (errors.length === 0 && (await passwords.isOneOf(before, plain)))
    errors.push({ vi: 'đã được dùng trước đây', en: 'was used before' });
  if (errors.length > 0)
    throw new Problem('request_invalid', {
      errors: errors.map((message) => ({ pointer: '/body/password', keyword: 'password', message })),
    });
  return before.slice(0, config.people.passwordHistory);
}

const changedMeanwhile = (id: string): Problem =>
  conflict(
    'Mật khẩu hoặc mã một lần của tài khoản vừa được thay đổi ở nơi khác; hãy đăng nhập lại.',
    'The password or second factor of the account was changed elsewhere a moment ago; sign in again.',
    { kind: 'person', id, state: 'changed_meanwhile' },
  );

/** One's own password; every other session ends, since one of them may be why it is changed. */
export async function changePassword(
  context: ControlContext,
  { caller, body }: ControlCall,
): Promise<ControlResult> {
  const { database, clock, passwords } = context;
  const id = caller.user;
  const proof = id === undefined ? undefined : await findProof(database.knex, id);
  if (id === undefined || proof === undefined) throw notFound();
  const { current, password } = body as Asked;
  await assertCurrent(context, proof, current);
  const history = await assertChoice(context, proof, password);
  const at = clock.now();
  const patch = {
    password_hash: await passwords.hash(password),
    password_history: JSON.stringify(history),
    password_at: at,
    temporary_until: null,
  };
  const ended = await changing(database, { noun: 'person', key: id, at }, async (trx) => {
    if (!(await replaceProof(trx, proof, patch))) throw changedMeanwhile(id);
    await endAttempts(trx, id);
    const others = (await sessionsOf(trx, id, at)).filter((session) => session.id !== caller.session);
    for (const other of others) await endSessions(trx, id, at, { which: other.id });
    return others.map((other) => other.id);
  });
  await context.refresh();
  return {
    status: 204,
    act: { noun: 'person', key: id, before: null, after: { act: 'password_changed', ended } },
  };
}
