import type { CheckContext, ConnectorSetup, OperationFacts, SetupFault } from '../connector.js';
import { expressionFaults, type Names, secretFaults, setupFault, templateFaults } from '../setup-fault.js';
import type { SqlBinding, SqlSettings } from './settings.js';
import { parseStatement, type Statement, StatementError } from './statement.js';

type Path = readonly PropertyKey[];

const CONNECTION: Path = ['connector', 'settings', 'connection'];
export const DEFAULT_PORTS = { postgres: 5432, mysql: 3306 } as const;

function egressFault(path: Path): SetupFault {
  return setupFault(
    path,
    'egress',
    'Cấu hình của nền tảng không cho phép kết nối đến nguồn này',
    'The configuration of the gateway does not allow this source',
  );
}

function denied(check: () => void, path: Path): SetupFault[] {
  try {
    check();
    return [];
  } catch {
    return [egressFault(path)];
  }
}

function settingsFaults(settings: SqlSettings, context: CheckContext): SetupFault[] {
  if (settings.engine === 'sqlite') {
    const { file } = settings.connection;
    return denied(() => context.egress.assertFile(file), [...CONNECTION, 'file']);
  }
  const { host, port, user, password } = settings.connection;
  const names: Names = { facts: null, credentials: context.credentialNames };
  return [
    ...denied(
      () => context.egress.assertHost(host, port ?? DEFAULT_PORTS[settings.engine]),
      [...CONNECTION, 'host'],
    ),
    ...templateFaults(user, names, [...CONNECTION, 'user']),
    ...templateFaults(password, names, [...CONNECTION, 'password']),
    ...secretFaults(password, [...CONNECTION, 'password']),
  ];
}

const STATEMENT_WORDS: Readonly<Record<StatementError['keyword'], string>> = {
  syntax: 'Câu lệnh SQL không đọc được',
  statements: 'Chỉ được một câu lệnh SQL',
  write: 'Câu lệnh phải bắt đầu bằng SELECT hoặc WITH',
  parameter: 'Tham số viết dạng :ten',
};

function writeFaults(
  statement: Statement,
  binding: SqlBinding,
  settings: SqlSettings,
  path: Path,
): SetupFault[] {
  if (statement.writes && !binding.write)
    return [
      setupFault(
        [...path, 'sql'],
        'write',
        'Câu lệnh làm thay đổi hoặc khóa dữ liệu; thao tác này chỉ được đọc',
        'The statement writes or locks rows, and this operation only reads',
      ),
    ];
  if (!binding.write || !settings.readOnly) return [];
  return [
    setupFault(
      [...path, 'write'],
      'readOnly',
      'Nguồn này chỉ cho phép đọc',
      'The settings say that this source is read-only',
    ),
  ];
}

function parameterFaults(statement: Statement, binding: SqlBinding, names: Names, path: Path): SetupFault[] {
  const bound = new Set(statement.order);
  const missing = [...bound].filter((name) => !Object.hasOwn(binding.params, name));
  const unused = Object.keys(binding.params).filter((name) => !bound.has(name));
  return [
    ...missing.map((name) =>
      setupFault(
        [...path, 'sql'],
        'parameter',
        `Tham số :${name} chưa được khai báo`,
        `:${name} has no entry in params`,
      ),
    ),
    ...unused.map((name) =>
      setupFault(
        [...path, 'params', name],
        'parameter',
        `Câu lệnh không dùng :${name}`,
        `The statement does not use :${name}`,
      ),
    ),
    ...Object.entries(binding.params).flatMap(([name, param]) => {
      const place = [...path, 'params', name];
      if (typeof param !== 'string') return expressionFaults(param.from, names, [...place, 'from']);
      return param.includes('{')
        ? templateFaults(param, names, place)
        : expressionFaults(param, names, place);
    }),
  ];
}

function shapeFaults(binding: SqlBinding, path: Path): SetupFault[] {
  if (!binding.one || binding.wrap === undefined) return [];
  return [
    setupFault(
      [...path, 'wrap'],
      'one',
      'Một đối tượng thì không có phần bao danh sách',
      'One object has no envelope of a list',
    ),
  ];
}

function bindingFaults(binding: SqlBinding, settings: SqlSettings, names: Names, path: Path): SetupFault[] {
  try {
    const statement = parseStatement(binding.sql, settings.engine);
    return [
      ...writeFaults(statement, binding, settings, path),
      ...parameterFaults(statement, binding, names, path),
      ...shapeFaults(binding, path),
    ];
  } catch (error) {
    if (!(error instanceof StatementError)) throw error;
    return [setupFault([...path, 'sql'], error.keyword, STATEMENT_WORDS[error.keyword], error.message)];
  }
}

/** Rules that the schemas cannot say. */
export function checkSql(
  setup: ConnectorSetup<SqlSettings, SqlBinding>,
  context: CheckContext,
): SetupFault[] {
  const of = (facts: OperationFacts): SetupFault[] => {
    const binding = setup.bindings[facts.operationId];
    if (binding === undefined) return [];
    const names: Names = { facts, credentials: context.credentialNames };
    return bindingFaults(binding, setup.settings, names, ['operations', facts.operationId]);
  };
  return [...settingsFaults(setup.settings, context), ...setup.facts.flatMap(of)];
}
