import {
  type CheckContext,
  type Connector,
  type ConnectorContext,
  type ConnectorKind,
  type OperationFacts,
  type SetupFault,
  SourceError,
  type SuccessRule,
} from './connector.js';
import { fileKind } from './file/connector.js';
import { httpKind } from './http/connector.js';
import { setupFault } from './setup-fault.js';
import { schemaFaults } from './setup-issues.js';
import { sqlKind } from './sql/connector.js';

/** Each kind under its own types; the registry gives a kind only what its own schemas have read. */
const KINDS = [httpKind, sqlKind, fileKind] as unknown as readonly ConnectorKind[];

/** kind → how it is checked and made. A new kind is one more entry in `KINDS`. */
export const connectorKinds: ReadonlyMap<string, ConnectorKind> = new Map(
  KINDS.map((kind) => [kind.kind, kind]),
);

/** What a manifest says of its source, as it was written. */
export interface ConnectorDescription {
  readonly kind: string;
  readonly settings: unknown;
  /** Operation id → binding. */
  readonly operations: Readonly<Record<string, unknown>>;
  /** The operations of the published document. */
  readonly facts: readonly OperationFacts[];
  readonly success?: SuccessRule | undefined;
}

interface Parsed {
  readonly settings: unknown;
  readonly bindings: Record<string, unknown>;
  readonly faults: SetupFault[];
}

function parse(kind: ConnectorKind, description: ConnectorDescription): Parsed {
  const faults: SetupFault[] = [];
  const settings = kind.settings.safeParse(description.settings);
  if (!settings.success) faults.push(...schemaFaults(settings.error, ['connector', 'settings']));
  const bindings: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const [id, written] of Object.entries(description.operations)) {
    const binding = kind.binding.safeParse(written);
    if (binding.success) bindings[id] = binding.data;
    else faults.push(...schemaFaults(binding.error, ['operations', id]));
  }
  return { settings: settings.data, bindings, faults };
}

/** Operations without a binding, and bindings without an operation. */
function pairFaults(description: ConnectorDescription): SetupFault[] {
  const known = new Set(description.facts.map((facts) => facts.operationId));
  const stray = Object.keys(description.operations).filter((id) => !known.has(id));
  const bare = [...known].filter((id) => !Object.hasOwn(description.operations, id));
  return [
    ...stray.map((id) =>
      setupFault(
        ['operations', id],
        'operation',
        `Tài liệu không có thao tác ${id}`,
        `The document has no operation ${id}`,
      ),
    ),
    ...bare.map((id) =>
      setupFault(
        ['operations', id],
        'required',
        `Thao tác ${id} chưa được gắn với nguồn`,
        `Operation ${id} has no binding`,
      ),
    ),
  ];
}

/**
 * Every fault of a connector's settings and bindings, with pointers from the manifest's root.
 *
 * @example checkConnector({ ...manifest.connector, operations: manifest.operations, facts, success: manifest.success }, context)
 */
export function checkConnector(description: ConnectorDescription, context: CheckContext): SetupFault[] {
  const kind = connectorKinds.get(description.kind);
  if (kind === undefined)
    return [
      setupFault(
        ['connector', 'kind'],
        'kind',
        `Không có loại kết nối ${description.kind}`,
        `There is no connector kind ${description.kind}; there are ${[...connectorKinds.keys()].join(', ')}`,
      ),
    ];
  const { settings, bindings, faults } = parse(kind, description);
  const paired = [...faults, ...pairFaults(description)];
  if (faults.length > 0) return paired;
  const { facts, success } = description;
  return [...paired, ...kind.check({ settings, bindings, facts, success }, context)];
}

/** A source that could not be opened fails its own calls; it must not keep the gateway from starting. */
class BrokenConnector implements Connector {
  call(): ReturnType<Connector['call']> {
    return Promise.reject(new SourceError('unreachable', 'the connector could not be made'));
  }

  probe(): ReturnType<Connector['probe']> {
    return Promise.resolve({
      ok: false,
      detail: 'the settings of the source are not valid any more',
      latencyMs: 0,
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/**
 * Makes the connector of a published service. It never throws: settings that held when the service was saved may not
 * hold now (an address or a credential was taken away), and then each call fails with `unreachable`.
 */
export function createConnector(description: ConnectorDescription, context: ConnectorContext): Connector {
  try {
    const kind = connectorKinds.get(description.kind);
    if (kind === undefined) throw new TypeError(`no connector kind ${description.kind}`);
    const { settings, bindings, faults } = parse(kind, description);
    if (faults.length > 0)
      throw new TypeError(`settings not valid at ${faults.map((fault) => fault.pointer).join(', ')}`);
    const { facts, success } = description;
    return kind.create({ settings, bindings, facts, success }, context);
  } catch (error) {
    context.log.error({ err: error, kind: description.kind }, 'a connector could not be made');
    return new BrokenConnector();
  }
}
