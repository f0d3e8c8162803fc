import {
  type CheckContext,
  type Connector,
  type ConnectorAnswer,
  type ConnectorContext,
  type ConnectorKind,
  type ConnectorRequest,
  type ConnectorSetup,
  type OperationFacts,
  type ProbeResult,
  type SetupFault,
  SourceError,
  type EndSignal,
} from '../connector.js';
import { setupFault } from '../setup-fault.js';
import { type RowReader, rowReader } from './answer.js';
import { DataSet } from './data-set.js';
import { type FileBinding, FileBindingSchema, type FileSettings, FileSettingsSchema } from './settings.js';

/** A data set in one file. */
class FileConnector implements Connector {
  readonly #data: DataSet;
  readonly #operations = new Map<string, RowReader>();

  constructor(setup: ConnectorSetup<FileSettings, FileBinding>, context: ConnectorContext) {
    this.#data = new DataSet(setup.settings, context.egress);
    for (const [id, binding] of Object.entries(setup.bindings)) this.#operations.set(id, rowReader(binding));
  }

  async call(request: ConnectorRequest, signal: EndSignal): Promise<ConnectorAnswer> {
    const read = this.#operations.get(request.operationId);
    if (read === undefined) throw new SourceError('failed', 'the operation has no binding');
    const { rows } = await this.#data.current();
    if (signal.aborted)
      throw new SourceError(signal.reason === 'caller' ? 'aborted' : 'timeout', 'the call has ended');
    const { status, value } = read(rows, request, Date.now());
    const body = Buffer.from(JSON.stringify(value));
    if (body.length > request.maxResponseBytes)
      throw new SourceError('failed', 'the rows are too many bytes');
    return { status, headers: { 'content-type': 'application/json; charset=utf-8' }, body, success: null };
  }

  async probe(): Promise<ProbeResult> {
    const started = performance.now();
    await this.#data.check();
    const { fault } = this.#data;
    return {
      ok: fault === null,
      detail: fault ?? 'the file is in use',
      latencyMs: Math.round(performance.now() - started),
    };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function parameterFaults(binding: FileBinding, facts: OperationFacts): SetupFault[] {
  const path = ['operations', facts.operationId];
  const page = 'list' in binding ? binding.page : undefined;
  const named: [readonly string[], string | undefined][] = [
    ...Object.keys(binding.filters).map((name): [string[], string] => [[...path, 'filters', name], name]),
    [[...path, 'page', 'limit'], page?.limit],
    [[...path, 'page', 'offset'], page?.offset],
    [[...path, 'page', 'number'], page?.number],
    [[...path, 'one', 'param'], 'one' in binding ? binding.one.param : undefined],
  ];
  const known = new Set(
    facts.parameters.filter((p) => p.in === 'path' || p.in === 'query').map((p) => p.name),
  );
  return named.flatMap(([place, name]) =>
    name === undefined || known.has(name)
      ? []
      : [
          setupFault(
            place,
            'source',
            `Thao tác không có tham số ${name}`,
            `The operation has no parameter ${name}`,
          ),
        ],
  );
}

function fileFaults(settings: FileSettings, context: CheckContext): SetupFault[] {
  try {
    context.egress.assertFile(settings.path);
    return [];
  } catch {
    return [
      setupFault(
        ['connector', 'settings', 'path'],
        'egress',
        'Tệp không nằm trong thư mục được phép, hoặc không tồn tại',
        'The file is not in an allowed folder, or is not there',
      ),
    ];
  }
}

export const fileKind: ConnectorKind<FileSettings, FileBinding> = {
  kind: 'file',
  settings: FileSettingsSchema,
  binding: FileBindingSchema,
  check: (setup, context) => [
    ...fileFaults(setup.settings, context),
    ...setup.facts.flatMap((facts) => {
      const binding = setup.bindings[facts.operationId];
      return binding === undefined ? [] : parameterFaults(binding, facts);
    }),
  ],
  create: (setup, context) => new FileConnector(setup, context),
};
