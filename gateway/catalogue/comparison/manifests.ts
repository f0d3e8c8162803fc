import { type Manifest, ManifestSchema } from '../manifest.js';
import { Changes, type ChangeRule, type ContractChange } from './findings.js';

/** What holds for a service whose manifest says nothing. */
export interface ServiceDefaults {
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly timeoutMs: number;
}

type Limit = Manifest['limits']['service'];
type Found = (pointer: string, rule: ChangeRule, breaking: boolean) => void;
type Versions = readonly [before: Manifest, after: Manifest];

function compareTerms([was, is]: Versions, found: Found): void {
  if (was.sharing !== is.sharing) found('/sharing', 'sharing', is.sharing === 'special');
  if (was.senderConstrained !== is.senderConstrained)
    found('/senderConstrained', 'sender-constrained', is.senderConstrained);
  if (was.responseCheck !== is.responseCheck)
    found('/responseCheck', 'response-check', is.responseCheck === 'enforce');
  if (was.classification !== is.classification) found('/classification', 'classification', false);
  if (was.direction !== is.direction) found('/direction', 'direction', false);
}

function compareSizes([was, is]: Versions, defaults: ServiceDefaults, found: Found): void {
  for (const [name, rule, stops] of [
    ['requestBytes', 'size', true],
    ['responseBytes', 'size', true],
    ['timeoutMs', 'timeout', false],
  ] as const) {
    const [old, now] = [was[name] ?? defaults[name], is[name] ?? defaults[name]];
    if (old !== now) found(`/${name}`, rule, stops && now < old);
  }
}

const sameLimit = (a: Limit, b: Limit): boolean => a?.calls === b?.calls && a?.seconds === b?.seconds;

/** A source in distress must be spared at once, and a caller knows how to wait; but no calls at all is an end. */
function compareLimits([was, is]: Versions, found: Found): void {
  for (const name of ['service', 'system'] as const) {
    const [old, now] = [was.limits[name], is.limits[name]];
    if (!sameLimit(old, now)) found(`/limits/${name}`, 'limit', now?.calls === 0 && old?.calls !== 0);
  }
}

/** What the law keeps back is nobody's contract; a source that reports its failures otherwise is the provider's. */
function compareStops([was, is]: Versions, found: Found): void {
  for (const [name, rule] of [
    ['secrecyMarks', 'secrecy-marks'],
    ['success', 'success'],
  ] as const)
    if (JSON.stringify(was[name]) !== JSON.stringify(is[name])) found(`/${name}`, rule, false);
}

/** Read as a manifest of now; null for what is none any more. */
function readManifest(text: string): Manifest | null {
  try {
    return ManifestSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

/**
 * Compares what two manifests promise to callers. Names, the source and how operations are bound to it are the
 * provider's own affair and are not compared.
 *
 * @param defaults what holds where a manifest says nothing
 */
export function compareManifests(
  before: Manifest,
  after: Manifest,
  defaults: ServiceDefaults,
): readonly ContractChange[] {
  const changes = new Changes('manifest');
  const found: Found = (pointer, rule, breaking) =>
    changes.add(pointer, rule, breaking, breaking ? '' : null);
  const versions: Versions = [before, after];
  compareTerms(versions, found);
  compareSizes(versions, defaults, found);
  compareLimits(versions, found);
  compareStops(versions, found);
  return changes.found;
}

/** The same of their texts; one that cannot be read any more counts as breaking. */
export function compareManifestTexts(
  before: string,
  after: string,
  defaults: ServiceDefaults,
): readonly ContractChange[] {
  const [was, is] = [readManifest(before), readManifest(after)];
  if (was !== null && is !== null) return compareManifests(was, is, defaults);
  const changes = new Changes('manifest');
  changes.add('', 'unreadable', true, '');
  return changes.found;
}
