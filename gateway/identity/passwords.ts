import { randomInt } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';
import type { Bilingual } from '../base/problem.js';
import { fold } from '../base/fold.js';

/** OWASP's first recommendation for Argon2id: 19 MiB, two passes, one lane. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;
/** Longer ones would only make the hash slow for whoever sends them. */
export const MOST_CHARACTERS = 128;
const FEWEST_DIFFERENT = 5;
/** No 0, O, 1, l, I: temporary passwords are read out over the telephone. */
const LETTERS = 'abcdefghjkmnpqrstuvwxyz23456789';

/** What everybody tries first; compared without accents, digits at the end and signs. */
const COMMON = [
  'matkhau',
  'matkhaumacdinh',
  'password',
  'passw0rd',
  'administrator',
  'admin',
  'quantri',
  'quantrivien',
  'welcome',
  'letmein',
  'qwertyuiop',
  'iloveyou',
  'vietnam',
  'vietnammoi',
  'laichau',
  'tinhlaichau',
  'lgsp',
  'lgsplaichau',
  'changeme',
  'doimatkhau',
  'abcdefghijkl',
];

const RUNS = ['0123456789012345678901234567890', 'abcdefghijklmnopqrstuvwxyz', 'qwertyuiopasdfghjklzxcvbnm'];

/** Who it is for: no password is made of these. */
export interface PasswordOwner {
  readonly id: string;
  readonly name: string;
  readonly email: string | null;
}

export interface PasswordPolicy {
  readonly minLength: number;
}

/** Two ways of typing the same Vietnamese text are the same password. */
const normal = (plain: string): string => plain.normalize('NFC');

const core = (text: string): string => fold(text).replace(/[^a-z0-9]/g, '');

function isRun(text: string): boolean {
  return RUNS.some((run) => run.includes(text) || Array.from(run).reverse().join('').includes(text));
}

function namesOf({ id, name, email }: PasswordOwner): string[] {
  return [id, name, email?.split('@')[0] ?? '', ...id.split(/[._-]/)]
    .map(core)
    .filter((part) => part.length >= 4);
}

/** What is wrong with a password that somebody chose; nothing about what kinds of characters it has (NIST SP 800-63B). */
export function passwordFaults(plain: string, owner: PasswordOwner, policy: PasswordPolicy): Bilingual[] {
  const text = normal(plain);
  const characters = Array.from(text);
  const faults: Bilingual[] = [];
  if (characters.length < policy.minLength)
    faults.push({
      vi: `cần ít nhất ${policy.minLength} ký tự`,
      en: `needs at least ${policy.minLength} characters`,
    });
  if (characters.length > MOST_CHARACTERS)
    faults.push({
      vi: `dài quá ${MOST_CHARACTERS} ký tự`,
      en: `is longer than ${MOST_CHARACTERS} characters`,
    });
  if (new Set(characters).size < FEWEST_DIFFERENT)
    faults.push({ vi: 'có quá ít ký tự khác nhau', en: 'has too few different characters' });
  const bare = core(text);
  const word = bare.replace(/^[0-9]+|[0-9]+$/g, '');
  if (COMMON.includes(bare) || COMMON.includes(word) || (bare.length > 0 && isRun(bare)))
    faults.push({ vi: 'quá phổ biến, dễ đoán', en: 'is too common' });
  if (namesOf(owner).some((name) => bare.includes(name)))
    faults.push({ vi: 'không được chứa tên của người dùng', en: 'must not contain the name of its owner' });
  return faults;
}

/** A password for one use, of about 79 bits. @example 'k7wm-2hqx-…' */
export function temporaryPassword(): string {
  const letters = Array.from({ length: 16 }, () => LETTERS.charAt(randomInt(LETTERS.length)));
  return [0, 4, 8, 12].map((at) => letters.slice(at, at + 4).join('')).join('-');
}

export async function hashPassword(plain: string): Promise<string> {
  return await hash(normal(plain), COST);
}

/** Compared with when there is nobody of that name, so that time does not tell. */
let nobody: Promise<string> | null = null;

export async function isPassword(stored: string | null, plain: string): Promise<boolean> {
  if (Array.from(plain).length > MOST_CHARACTERS) return false;
  nobody ??= hash(temporaryPassword(), COST);
  const right = await verify(stored ?? (await nobody), normal(plain));
  return right && stored !== null;
}

/** Whether it is one of those in use before. */
export async function wasPassword(history: readonly string[], plain: string): Promise<boolean> {
  for (const stored of history) if (await isPassword(stored, plain)) return true;
  return false;
}
