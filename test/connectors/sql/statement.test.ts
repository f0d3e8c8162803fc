import assert from 'node:assert/strict';
import { parseStatement, type SqlEngine, StatementError } from '../../../connectors/sql/statement.js';

const ALL: readonly SqlEngine[] = ['sqlite', 'postgres', 'mysql'];

describe('sql statements: what is read', () => {
  const cases: readonly [
    title: string,
    engines: readonly SqlEngine[],
    sql: string,
    order: readonly string[],
  ][] = [
    ['one parameter', ALL, 'SELECT * FROM t WHERE a = :a', ['a']],
    ['a semicolon behind', ALL, 'SELECT 1 ; ', []],
    [
      'in a quotation it is no parameter',
      ALL,
      "SELECT ':a', ';', '--', '/*', ':b''c' FROM t WHERE a = :a",
      ['a'],
    ],
    ['in an identifier it is none', ['sqlite', 'postgres'], 'SELECT "x:a;" FROM t WHERE a = :a', ['a']],
    ['in back quotes it is none', ['sqlite', 'mysql'], 'SELECT `x:a;` FROM t', []],
    ['in brackets it is none', ['sqlite'], 'SELECT [x:a;] FROM t', []],
    ['in a comment it is none', ALL, 'SELECT 1 -- :a;\n/* :b; */', []],
    ['a cast is none', ['postgres'], 'SELECT :a::text, b::int', ['a']],
    ['in dollar quotes it is none', ['postgres'], 'SELECT $$ :a; $$, $x$ $$ :b; $x$, :c', ['c']],
    ['in an escaped quotation it is none', ['postgres'], "SELECT E'\\' :a;', :b", ['b']],
    ['comments nest', ['postgres'], 'SELECT /* /* */ :a; */ :b', ['b']],
    ['a back slash escapes', ['mysql'], "SELECT '\\' :a;', :b", ['b']],
    ['a hash begins a comment', ['mysql'], 'SELECT 1 # :a;', []],
    ['two dashes without a blank do not', ['mysql'], 'SELECT 5--:a', ['a']],
    ['an operator of JSON', ['postgres'], "SELECT a ? 'x' AND b = :b", ['b']],
    ['words in names are not words', ALL, 'SELECT update_date, deleted, t.inserted FROM t', []],
    ['WITH reads', ALL, 'WITH x AS (SELECT :a AS a) SELECT * FROM x', ['a']],
    ['replace() is a function', ALL, "SELECT replace(a, 'x', 'y') FROM t", []],
  ];
  for (const [title, engines, sql, order] of cases)
    for (const engine of engines)
      it(`${engine}: ${title}`, () => {
        const statement = parseStatement(sql, engine);
        assert.deepEqual(statement.order, order);
        assert.equal(statement.writes, false);
      });

  const texts: readonly [engine: SqlEngine, text: string, order: readonly string[]][] = [
    ['sqlite', "SELECT ?, ?, ?, ':a'", ['a', 'b', 'a']],
    ['postgres', "SELECT $1, $2, $1, ':a'", ['a', 'b']],
    ['mysql', "SELECT ?, ?, ?, ':a'", ['a', 'b', 'a']],
  ];
  for (const [engine, text, order] of texts)
    it(`${engine}: a parameter that comes twice`, () =>
      assert.deepEqual(parseStatement("SELECT :a, :b, :a, ':a';", engine), { text, order, writes: false }));
});

describe('sql statements: what writes', () => {
  for (const sql of [
    'INSERT INTO t VALUES (:a)',
    'UPDATE t SET a = 1',
    'delete from t',
    'REPLACE INTO t VALUES (1)',
    'WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x',
    'WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x',
    'SELECT * FROM t FOR UPDATE',
    'SELECT a INTO b FROM t',
    "SELECT * FROM t INTO OUTFILE '/tmp/x'",
    'SELECT/**/1 /**/ INTO/**/x',
  ])
    for (const engine of ALL)
      it(`${engine}: ${sql}`, () => assert.equal(parseStatement(sql, engine).writes, true));
});

describe('sql statements: what is refused', () => {
  const cases: readonly [engines: readonly SqlEngine[], sql: string, keyword: StatementError['keyword']][] = [
    [ALL, 'SELECT 1; SELECT 2', 'statements'],
    [ALL, "SELECT 1; DROP TABLE t; -- '", 'statements'],
    [ALL, "SELECT ''; DELETE FROM t; SELECT ''", 'statements'],
    [ALL, '', 'write'],
    [ALL, '-- nothing', 'write'],
    [ALL, 'DROP TABLE t', 'write'],
    [ALL, 'CREATE TABLE t (a int)', 'write'],
    [ALL, 'PRAGMA writable_schema = 1', 'write'],
    [ALL, "ATTACH 'x' AS y", 'write'],
    [ALL, 'EXPLAIN SELECT 1', 'write'],
    [ALL, '(SELECT 1)', 'write'],
    [ALL, "COPY t TO PROGRAM 'id'", 'write'],
    [ALL, 'SET x = 1', 'write'],
    [ALL, 'CALL p()', 'write'],
    [ALL, "SELECT 'a", 'syntax'],
    [ALL, 'SELECT /* a', 'syntax'],
    [ALL, 'SELECT "a', 'syntax'],
    [ALL, 'SELECT 1\0', 'syntax'],
    [['mysql'], 'SELECT 1 /*! INTO OUTFILE "x" */', 'syntax'],
    [['mysql'], 'SELECT 1 /*M! INTO OUTFILE "x" */', 'syntax'],
    [['mysql'], 'SELECT 5--1; DELETE FROM t', 'statements'],
    [['mysql'], "SELECT '\\''; DELETE FROM t; -- '", 'statements'],
    [['postgres'], "SELECT '\\'; DELETE FROM t; -- '", 'statements'],
    [['postgres'], 'SELECT /* /* */ 1; DELETE FROM t', 'syntax'],
    [['sqlite', 'mysql'], 'SELECT ?', 'parameter'],
    [['sqlite'], 'SELECT ?1', 'parameter'],
    [['sqlite'], 'SELECT @a', 'parameter'],
    [['postgres'], 'SELECT $1', 'parameter'],
  ];
  for (const [engines, sql, keyword] of cases)
    for (const engine of engines)
      it(`${engine}: ${JSON.stringify(sql)}`, () =>
        assert.throws(
          () => parseStatement(sql, engine),
          (error) => error instanceof StatementError && error.keyword === keyword,
        ));
});
