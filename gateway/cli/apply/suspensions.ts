import { SIDES, type SharingSide, type TreeSuspended } from '../tree-sharing.js';
import type { Session, Step } from './session.js';

/** Since when each side holds it, as the gateway says it; null: not. */
export type Flags = Readonly<Record<SharingSide, string | null>>;

/** A grant as lists show it. */
export interface GrantNow {
  readonly id: string;
  readonly request: string | null;
  readonly sharing: string;
  readonly service: string;
  readonly system: string;
  readonly purpose: string;
  readonly state: string;
  readonly suspended: Flags;
  readonly quota: { readonly perDay: number | null; readonly perMinute: number | null };
}

export interface Ground {
  readonly reason?: string | undefined;
  readonly document?: string | undefined;
}

/** What a side does to a grant, or to the request that it came from. */
export type TakeStep = (side: SharingSide, step: string, ground: Ground) => Promise<unknown>;

/** Without the members that are not there. */
export const defined = (fields: object): object =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

/** The same step for every side: by the client of that side; by whoever runs this, where it is the platform. */
export function stepBy(
  session: Session,
  by: Readonly<Partial<Record<SharingSide, string | undefined>>>,
  at: () => { readonly what: string; readonly path: string },
): TakeStep {
  return async (side, step, ground) => {
    const { what, path } = at();
    const body = defined({ step, ...ground });
    const client = side === 'platform' ? undefined : (by[side] ?? `a client of the ${side}`);
    return client === undefined
      ? await session.send(`${what}: ${step}`, 'POST', path, body)
      : await session.sendAs(client, `${what}: ${step}`, 'POST', path, body);
  };
}

/** Who is to hold it; where the file names no side, it is the provider. */
export function wantedSuspensions(
  wanted: { readonly state?: string | undefined; readonly suspended?: TreeSuspended | undefined } & Ground,
): Readonly<Partial<Record<SharingSide, Ground | undefined>>> {
  if (wanted.state !== 'suspended') return {};
  const { reason = 'lgsp apply', document } = wanted;
  return wanted.suspended ?? { provider: { reason, document } };
}

/**
 * Suspends first and resumes after, so that it is never in force in between.
 *
 * @param resuming what a side resumes on
 */
export function suspensionSteps(
  take: TakeStep,
  now: Flags | null,
  wanted: Readonly<Partial<Record<SharingSide, Ground | undefined>>>,
  resuming: Ground,
): Step[] {
  const holds = (side: SharingSide): boolean => now !== null && now[side] !== null;
  const suspend = SIDES.filter((side) => wanted[side] !== undefined && !holds(side));
  const resume = SIDES.filter((side) => wanted[side] === undefined && holds(side));
  return [
    ...suspend.map((side) => ({
      name: `suspend by ${side}`,
      run: () => take(side, 'suspend', wanted[side] ?? {}),
    })),
    ...resume.map((side) => ({ name: `resume by ${side}`, run: () => take(side, 'resume', resuming) })),
  ];
}
