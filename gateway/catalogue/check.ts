import type { OperationFacts, SetupFault } from '../../connectors/connector.js';
import { type Fault, Problem } from '../base/problem.js';
import type { OperationSummary } from './check-document.js';
import { marksOf } from './check-marks.js';
import { assertNoStateSecret, readManifest } from './check-manifest.js';
import { type CheckLimits, checkInThread, DEFAULT_LIMITS } from './check-thread.js';
import { bounded, FaultList, fault, underPrefix } from './faults.js';
import { type JsonObject, member, objectMember, pointerOf } from './json-tree.js';
import { type Manifest, majorOf } from './manifest.js';
import { BINDING } from './operation-source.js';

export type { OperationSummary } from './check-document.js';

/** Settings and bindings as the service's kind of connector judges them; pointers from the manifest's root. */
export type CheckConnector = (
  manifest: Manifest,
  operations: readonly OperationFacts[],
) => readonly SetupFault[] | Promise<readonly SetupFault[]>;

export interface ServiceToCheck {
  readonly manifest: unknown;
  /** The OpenAPI document, JSON or YAML. */
  readonly document: string;
  readonly checkConnector: CheckConnector;
  readonly limits?: CheckLimits;
}

export interface CheckResult {
  readonly ok: boolean;
  /** Every fault, by pointer under `/manifest` or `/document`; at most 200 and a note that there are more. */
  readonly faults: readonly Fault[];
  /** What is worth mending and keeps nothing from being published, by pointer under `/document`. */
  readonly warnings?: readonly Fault[];
  /** With the bindings of the document merged in; absent when the manifest is not valid. */
  readonly manifest?: Manifest;
  readonly operations?: readonly OperationSummary[];
}

/**
 * Checks a service before it is published, and compiles all of it: what passes here runs. The document is checked in
 * a worker thread within bounds of time and memory.
 *
 * @throws Problem `state_secret` when the manifest's classification is a degree of secrecy
 * @example const { ok, faults } = await checkService({ manifest, document, checkConnector: () => [] })
 */
export async function checkService(service: ServiceToCheck): Promise<CheckResult> {
  assertNoStateSecret(service.manifest);
  const { manifest, faults: manifestFaults } = readManifest(service.manifest);
  const marks = marksOf(manifest);
  const report = await checkInThread(service.document, service.limits ?? DEFAULT_LIMITS, marks);
  const faults = new FaultList();
  faults.push(...underPrefix('/manifest', manifestFaults), ...underPrefix('/document', report.faults));
  const declared = objectMember(service.manifest, 'operations');
  // Operations are only known of a document that could be read; without them every binding would seem to be astray.
  if (report.operations.length > 0) checkBindings(declared, report.operations, faults);
  if (manifest === null) return result(faults, report.operations);
  checkVersion(manifest, report.version, faults);
  for (const pointer of report.operations.length > 0 ? report.astray : [])
    faults.add(
      `/manifest${pointer}`,
      'field',
      'không thông điệp nào có trường này',
      'no message has this field',
    );
  const merged = { ...manifest, operations: mergedBindings(manifest, report.operations) };
  if (report.operations.length > 0) {
    const found = await service.checkConnector(
      merged,
      report.operations.map(({ facts }) => facts),
    );
    faults.push(...underPrefix('/manifest', found.map(setupFault)));
  }
  const warnings = underPrefix('/document', report.warnings);
  return { ...result(faults, report.operations), warnings, manifest: merged };
}

/**
 * @returns the manifest with all bindings, and its operations
 * @throws Problem `contract_invalid` with every fault, or `state_secret`
 */
export async function assertPublishable(
  service: ServiceToCheck,
): Promise<{ readonly manifest: Manifest; readonly operations: readonly OperationSummary[] }> {
  const { ok, faults, manifest, operations } = await checkService(service);
  if (ok && manifest !== undefined && operations !== undefined) return { manifest, operations };
  throw new Problem('contract_invalid', {
    detail: {
      vi: `Có ${faults.length} lỗi trong tài liệu mô tả dịch vụ; mỗi lỗi có vị trí của nó.`,
      en: `The description of the service has ${faults.length} faults, each with its place.`,
    },
    errors: faults,
  });
}

function result(faults: FaultList, operations: readonly OperationSummary[]): CheckResult {
  const all = bounded(faults.all());
  return { ok: all.length === 0, faults: all, ...(operations.length === 0 ? {} : { operations }) };
}

function setupFault({ pointer, keyword, vi, en }: SetupFault): Fault {
  return fault(pointer, keyword, vi, en);
}

/** Every operation needs one binding, and every binding an operation. */
function checkBindings(
  declared: JsonObject,
  operations: readonly OperationSummary[],
  faults: FaultList,
): void {
  const ids = new Set(operations.map(({ id }) => id));
  for (const { id, pointer, binding } of operations) {
    const own = member(declared, id) !== undefined;
    if (!own && binding === null) {
      const vi = `thao tác ${id} chưa được gắn với nguồn dữ liệu`;
      faults.add(`/document${pointer}`, 'binding', vi, `the operation ${id} is not bound to the source`);
    } else if (own && binding !== null) {
      const vi = 'thao tác được gắn hai lần: trong bản kê và trong tài liệu';
      const en = 'the operation is bound twice: in the manifest and in the document';
      faults.add(`/document${pointer}${pointerOf(BINDING)}`, 'duplicate', vi, en);
    }
  }
  for (const id of Object.keys(declared)) {
    if (ids.has(id)) continue;
    const pointer = `/manifest${pointerOf('operations', id)}`;
    faults.add(pointer, 'operation', 'tài liệu không có thao tác này', 'the document has no such operation');
  }
}

function mergedBindings(manifest: Manifest, operations: readonly OperationSummary[]): Manifest['operations'] {
  const merged = { ...manifest.operations };
  for (const { id, binding } of operations) {
    if (binding !== null && !Object.hasOwn(merged, id)) merged[id] = { ...binding };
  }
  return merged;
}

/** Callers read the major number in the path; a document that speaks of another one would mislead them. */
function checkVersion(manifest: Manifest, version: string | null, faults: FaultList): void {
  const major = /^v?([0-9]+)(?:\.|$)/.exec(version ?? '')?.[1];
  if (major === undefined || Number(major) === majorOf(manifest.version)) return;
  const vi = `số phiên bản chính phải là ${majorOf(manifest.version)} như trong bản kê`;
  const en = `the major version must be ${majorOf(manifest.version)}, as in the manifest`;
  faults.add('/document/info/version', 'version', vi, en);
}
