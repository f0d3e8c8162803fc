import type { Hours } from '../base/hours.js';
import type { ManagementApi } from './api.js';
import { stateEntry, withSupplied } from './export-emergency.js';
import { all, present, read, yaml } from './export-reading.js';

interface Credential {
  readonly kind: 'secret' | 'key' | 'certificate';
  readonly state: string;
  readonly jwk?: object;
  readonly certificate?: { readonly 'x5t#S256': string };
}

export interface ExportedSystem {
  readonly id: string;
  readonly agency: string;
  readonly name: string;
  readonly roles: readonly string[];
  readonly state: string;
  readonly stateReason: string | null;
  readonly stateDocument: string | null;
  readonly validTo: string | null;
  readonly limit: object | null;
  readonly requireBoundTokens: boolean;
  readonly addresses: readonly string[] | null;
  readonly hours: Hours | null;
  readonly credentials: readonly Credential[];
}

/** Secrets once, however many there are: their values are nowhere to be had. */
function entries(id: string, live: readonly Credential[]): object[] {
  const secret = live.findIndex(({ kind }) => kind === 'secret');
  let certificates = 0;
  const fileName = (): string => (++certificates === 1 ? `${id}.pem` : `${id}-${certificates}.pem`);
  return live
    .filter(({ kind }, i) => kind !== 'secret' || i === secret)
    .map(({ kind, jwk, certificate }) =>
      present({
        kind,
        jwk,
        ...(kind === 'certificate' ? { thumbprint: certificate?.['x5t#S256'], file: fileName() } : {}),
      }),
    );
}

/**
 * What a system proves itself with. Without anything that is alive it gets something new on another gateway, that
 * nobody outside holds: what was revoked must not come back.
 */
function proofOf({ id, credentials }: ExportedSystem): object {
  const live = credentials.filter(({ state }) => state === 'active');
  if (live.length === 0) return { auth: credentials.every(({ kind }) => kind === 'key') ? 'key' : 'secret' };
  const [first, ...others] = live;
  const list = entries(id, live);
  if (list.length === 1 && first?.kind === 'secret') return { auth: 'secret' };
  if (others.length === 0 && first?.kind === 'key') return { auth: 'key', publicJwk: first.jwk };
  return { auth: first?.kind, credentials: list };
}

function entry(system: ExportedSystem): object {
  const { id, agency, name, roles, validTo, limit } = system;
  return present({
    ...{ id, agency, name, roles, ...proofOf(system), ...stateEntry(system) },
    ...{ validTo, limit },
    requireBoundTokens: system.requireBoundTokens ? true : null,
    addresses: system.addresses,
    hours: system.hours,
  });
}

/** Every system with its credentials. */
export async function readSystems(api: ManagementApi): Promise<ExportedSystem[]> {
  const systems: ExportedSystem[] = [];
  for (const { id } of await all<{ id: string }>(api, '/systems'))
    systems.push(await read(api, `/systems/${encodeURIComponent(id)}`));
  return await withSupplied(api, 'system', systems);
}

/** `systems.yaml`: public keys and thumbprints; secrets by name only, and the files that certificates belong into. */
export function systemFiles(systems: readonly ExportedSystem[]): Record<string, string> {
  return { 'systems.yaml': yaml(systems.map(entry)) };
}

/**
 * The client through which an agency acts when files are applied: the one that did, where it is one that can still
 * act; else, where a person did it, another of the agency in such a role.
 */
export function clientOf(
  systems: readonly ExportedSystem[],
  agency: string,
  roles: readonly string[],
  did?: string,
): string | null {
  const able = systems.filter(
    (system) =>
      system.agency === agency &&
      system.state !== 'revoked' &&
      system.roles.some((role) => roles.includes(role)),
  );
  return (able.find(({ id }) => id === did) ?? able[0])?.id ?? did ?? null;
}
