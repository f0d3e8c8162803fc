import assert from 'node:assert/strict';
import { type Connector, type ConnectorRequest, SourceError } from '../../../connectors/connector.js';
import { createConnector } from '../../../connectors/registry.js';
import { Problem } from '../../../gateway/base/problem.js';
import { call, context, facts, forever, openEgress } from '../context.js';
import { type SqlTestDatabase, type SqlTestEngine, sqlEngines } from './engines.js';

const TABLE = `CREATE TABLE don_vi (ma varchar(10) PRIMARY KEY, ten varchar(100), dan_so bigint, hoat_dong int, tu_ngay varchar(8), ghi_chu text)`;
const ROWS = `INSERT INTO don_vi VALUES
  ('03532', 'Pu Sam Cáp', 12345, 1, '20250701', NULL),
  ('03533', 'Noong Hẻo', 9007199254740993, 0, '20250630', 'cũ; "đã" đổi'),
  ('03534', 'Điện Biên', -5, 1, '19490101', '?:x$1')`;

const TEN: Record<SqlTestEngine['engine'], string> = {
  sqlite: ':ten',
  postgres: ':ten::text',
  mysql: ':ten',
};
const ENDLESS: Record<SqlTestEngine['engine'], string> = {
  sqlite: 'WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) AS n FROM c',
  postgres: 'SELECT pg_sleep(30) AS n',
  mysql: 'SELECT sleep(30) AS n',
};

for (const engine of sqlEngines)
  describe(`sql connector on ${engine.engine}`, () => {
    let database: SqlTestDatabase;
    const opened: Connector[] = [];
    before(async () => {
      database = await engine.create();
      await database.run(TABLE);
      await database.run(ROWS);
    });
    afterEach(async () => {
      for (const connector of opened.splice(0)) await connector.close();
    });
    after(() => database.drop());

    function open(binding: Record<string, unknown>, settings: Record<string, unknown> = {}): Connector {
      const connector = createConnector(
        {
          kind: 'sql',
          settings: { ...database.settings, ...settings },
          operations: { op: binding },
          facts: [facts()],
        },
        context({ egress: database.egress, credentials: database.credentials }),
      );
      opened.push(connector);
      return connector;
    }

    async function ask(binding: Record<string, unknown>, request: Partial<ConnectorRequest> = {}) {
      const answer = await open(binding).call(call(request), forever());
      return { ...answer, json: JSON.parse(answer.body.toString()) as unknown };
    }

    async function fault(work: Promise<unknown>): Promise<SourceError> {
      try {
        await work;
      } catch (error) {
        if (error instanceof SourceError) return error;
        throw error;
      }
      return assert.fail('it was answered');
    }

    it('publishes fields for columns, converted', async () => {
      const { json, headers, status } = await ask({
        sql: 'SELECT ma, ten, dan_so, hoat_dong, tu_ngay FROM don_vi ORDER BY ma',
        fields: {
          code: 'MA',
          name: 'ten',
          people: 'dan_so',
          active: { column: 'hoat_dong', as: 'boolean' },
          from: { column: 'tu_ngay', as: 'vn-date' },
        },
      });
      assert.deepEqual(json, [
        { code: '03532', name: 'Pu Sam Cáp', people: 12345, active: true, from: '2025-07-01' },
        { code: '03533', name: 'Noong Hẻo', people: '9007199254740993', active: false, from: '2025-06-30' },
        { code: '03534', name: 'Điện Biên', people: -5, active: true, from: '1949-01-01' },
      ]);
      assert.deepEqual([status, headers], [200, { 'content-type': 'application/json; charset=utf-8' }]);
    });

    const texts = [
      '03533',
      "03533' OR '1'='1",
      "'; DROP TABLE don_vi; --",
      '%',
      '\\',
      '?',
      ':ma',
      '$1',
      'Hẻo',
      '',
    ];
    for (const text of texts)
      it(`binds ${JSON.stringify(text)} as a value`, async () => {
        const { json } = await ask(
          { sql: 'SELECT ten FROM don_vi WHERE ma = :ma', params: { ma: 'query.ma' } },
          { query: { ma: text } },
        );
        assert.deepEqual(json, text === '03533' ? [{ ten: 'Noong Hẻo' }] : []);
        assert.equal(Number(await database.value('SELECT count(*) FROM don_vi')), 3);
      });

    it('leaves quotations alone', async () => {
      const { json } = await ask({
        sql: "SELECT ':ma ? $1 ;' AS chu, ghi_chu FROM don_vi WHERE ma = :ma",
        params: { ma: { from: 'query.ma', default: '03534' } },
      });
      assert.deepEqual(json, [{ chu: ':ma ? $1 ;', ghi_chu: '?:x$1' }]);
    });

    it('binds a missing parameter as NULL, and a default for it', async () => {
      const sql = `SELECT count(*) AS n FROM don_vi WHERE (${TEN[engine.engine]} IS NULL OR ten LIKE ${TEN[engine.engine]})`;
      assert.deepEqual((await ask({ sql, params: { ten: 'query.ten' } })).json, [{ n: 3 }]);
      assert.deepEqual(
        (await ask({ sql, params: { ten: { from: 'query.ten', as: 'like-prefix', default: 'Noong%' } } }))
          .json,
        [{ n: 1 }],
      );
      assert.deepEqual((await ask({ sql, params: { ten: '{query.a}%' } }, { query: { a: 'Pu' } })).json, [
        { n: 1 },
      ]);
    });

    it('binds whole numbers where LIMIT wants them', async () => {
      const { json } = await ask(
        {
          sql: 'SELECT ma FROM don_vi ORDER BY ma LIMIT :so OFFSET :bo',
          params: { so: 'query.so', bo: 'query.bo' },
        },
        { query: { so: 1, bo: 1 } },
      );
      assert.deepEqual(json, [{ ma: '03533' }]);
    });

    it('binds a parameter that comes twice', async () => {
      const { json } = await ask(
        {
          sql: 'SELECT ma FROM don_vi WHERE ma = :ma OR ten = :ten OR ma = :ma',
          params: { ma: 'path.ma', ten: 'query.ten' },
        },
        { path: { ma: '03532' }, query: { ten: 'Điện Biên' } },
      );
      assert.deepEqual((json as { ma: string }[]).map(({ ma }) => ma).sort(), ['03532', '03534']);
    });

    for (const [ma, status, body] of [
      ['03532', 200, { ten: 'Pu Sam Cáp' }],
      ['99999', 404, null],
    ] as const)
      it(`answers one object or ${status}`, async () => {
        const answer = await ask(
          { sql: 'SELECT ten FROM don_vi WHERE ma = :ma', params: { ma: 'path.ma' }, one: true },
          { path: { ma } },
        );
        assert.deepEqual([answer.status, answer.json], [status, body]);
      });

    it('fails when one object is several', async () => {
      assert.equal((await fault(ask({ sql: 'SELECT ten FROM don_vi', one: true }))).fault, 'failed');
    });

    for (const [rowLimit, rows, truncated] of [
      [2, 2, 'true'],
      [3, 3, undefined],
      [4, 3, undefined],
    ] as const)
      it(`gives ${rows} rows with a limit of ${rowLimit}, and says when that is not all`, async () => {
        const answer = await ask({ sql: 'SELECT ma FROM don_vi ORDER BY ma', rowLimit });
        assert.equal((answer.json as unknown[]).length, rows);
        assert.equal(answer.headers['lgsp-truncated'], truncated);
      });

    it('wraps a list, with its total', async () => {
      const answer = await ask({
        sql: 'SELECT ma, count(*) OVER () AS tong FROM don_vi ORDER BY ma LIMIT 1',
        fields: { ma: 'ma' },
        wrap: { items: 'data', total: 'tongSo', totalColumn: 'tong' },
      });
      assert.deepEqual(answer.json, { data: [{ ma: '03532' }], tongSo: 3 });
    });

    it('says no total for no rows but zero', async () => {
      const sql = "SELECT ma FROM don_vi WHERE ma = 'x'";
      assert.deepEqual((await ask({ sql, wrap: { items: 'd', total: 't', totalColumn: 'tong' } })).json, {
        d: [],
        t: 0,
      });
    });

    it('fails on a column that the statement does not give', async () => {
      assert.equal((await fault(ask({ sql: 'SELECT ma FROM don_vi', fields: { a: 'b' } }))).fault, 'failed');
    });

    it('fails on rows that are more bytes than an answer may have', async () => {
      assert.equal(
        (await fault(ask({ sql: 'SELECT ten FROM don_vi' }, { maxResponseBytes: 40 }))).fault,
        'failed',
      );
    });

    it('keeps values of the call out of the fault', async () => {
      const error = await fault(
        ask({ sql: 'SELECT khong_co(:a) AS x', params: { a: 'query.a' } }, { query: { a: 'bí mật' } }),
      );
      assert.equal(error.fault, 'failed');
      assert.ok(!error.message.includes('bí mật'));
    });

    it('refuses a value with a zero byte', async () => {
      await assert.rejects(
        ask(
          { sql: 'SELECT ma FROM don_vi WHERE ma = :a', params: { a: 'query.a' } },
          { query: { a: 'a\0b' } },
        ),
        (error) => error instanceof Problem && error.parts.errors?.[0]?.pointer === '/query/a',
      );
    });

    it('ends with the deadline, and answers the next call', async () => {
      const connector = createConnector(
        {
          kind: 'sql',
          settings: { ...database.settings, maxConnections: 1 },
          operations: { op: { sql: ENDLESS[engine.engine] }, next: { sql: 'SELECT 1 AS n' } },
          facts: [],
        },
        context({ egress: database.egress, credentials: database.credentials }),
      );
      opened.push(connector);
      for (const [reason, expected] of [
        ['deadline', 'timeout'],
        ['caller', 'aborted'],
      ] as const) {
        const ending = new AbortController();
        const work = fault(connector.call(call(), ending.signal));
        const waiting = connector.call(call({ operationId: 'next' }), forever());
        setTimeout(() => ending.abort(reason), 300);
        assert.equal((await work).fault, expected);
        assert.equal((await waiting).body.toString(), '[{"n":1}]');
      }
    });

    it('does not start what nobody waits for', async () => {
      const ended = new AbortController();
      ended.abort('caller');
      assert.equal((await fault(open({ sql: 'SELECT 1 AS n' }).call(call(), ended.signal))).fault, 'aborted');
    });

    it('writes where the settings and the binding say so', async () => {
      const binding = {
        sql: "UPDATE don_vi SET ghi_chu = :g WHERE ma = '03532'",
        params: { g: 'body.g' },
        write: true,
      };
      const answer = await open(binding, { readOnly: false }).call(
        call({ method: 'POST', json: { g: 'mới' } }),
        forever(),
      );
      assert.equal(answer.body.toString(), '{"changed":1}');
      assert.equal(await database.value("SELECT ghi_chu FROM don_vi WHERE ma = '03532'"), 'mới');
    });

    it('does not write where only one of them says so', async () => {
      const sql = "UPDATE don_vi SET ghi_chu = 'hỏng' WHERE ma = '03533'";
      assert.equal((await fault(open({ sql, write: true }).call(call(), forever()))).fault, 'unreachable');
      assert.equal(
        (await fault(open({ sql }, { readOnly: false }).call(call(), forever()))).fault,
        'unreachable',
      );
      assert.notEqual(await database.value("SELECT ghi_chu FROM don_vi WHERE ma = '03533'"), 'hỏng');
    });

    it('sees by a probe whether the database is there', async () => {
      assert.equal((await open({ sql: 'SELECT 1 AS n' }).probe(forever())).ok, true);
    });

    it('runs many calls at once', async () => {
      const connector = open({ sql: 'SELECT ten FROM don_vi WHERE ma = :ma', params: { ma: 'query.ma' } });
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, i) =>
          connector.call(call({ query: { ma: `0353${2 + (i % 3)}` } }), forever()),
        ),
      );
      const names = ['Pu Sam Cáp', 'Noong Hẻo', 'Điện Biên'];
      assert.deepEqual(
        answers.map((answer) => (JSON.parse(answer.body.toString()) as [{ ten: string }])[0].ten),
        Array.from({ length: 50 }, (_, i) => names[i % 3]),
      );
    });

    if (engine.engine === 'sqlite') {
      it('offers khong_dau to search without accents', async () => {
        const { json } = await ask(
          {
            sql: "SELECT ma FROM don_vi WHERE khong_dau(ten) LIKE :ten ESCAPE '\\'",
            params: { ten: { from: 'query.ten', as: ['fold', 'like-contains'] } },
          },
          { query: { ten: 'ĐIEN' } },
        );
        assert.deepEqual(json, [{ ma: '03534' }]);
      });

      it('is unreachable when the file is not allowed', async () => {
        const connector = open({ sql: 'SELECT 1 AS n' }, { connection: { file: '/etc/hostname' } });
        assert.equal((await fault(connector.call(call(), forever()))).fault, 'unreachable');
        assert.equal((await connector.probe(forever())).ok, false);
      });

      it('keeps the event loop free while a heavy statement runs', async () => {
        const ending = new AbortController();
        const work = fault(open({ sql: ENDLESS.sqlite }).call(call(), ending.signal));
        let turns = 0;
        for (; turns < 50; turns += 1) await new Promise((resolve) => setImmediate(resolve));
        ending.abort('deadline');
        assert.equal((await work).fault, 'timeout');
        const processes = (): number =>
          process.getActiveResourcesInfo().filter((name) => name === 'ProcessWrap').length;
        for (let turn = 0; turn < 200 && processes() > 0; turn += 1)
          await new Promise((resolve) => setTimeout(resolve, 10));
        assert.equal(processes(), 0);
      });
    } else {
      const WRITES = {
        postgres: [
          "SELECT set_config('transaction_read_only', 'off', true), ghi()",
          'SELECT ghi() AS n',
          "SELECT nextval('dem') AS n",
        ],
        mysql: ['SELECT ghi() AS n'],
      }[engine.engine];
      for (const sql of WRITES)
        it(`is stopped by the database itself when it reads only: ${sql}`, async () => {
          if (engine.engine === 'postgres')
            await database.run(
              "CREATE SEQUENCE IF NOT EXISTS dem; CREATE OR REPLACE FUNCTION ghi() RETURNS int LANGUAGE sql VOLATILE AS 'DELETE FROM don_vi; SELECT 1'",
            );
          else
            await database.run(
              'CREATE OR REPLACE FUNCTION ghi() RETURNS int MODIFIES SQL DATA BEGIN DELETE FROM don_vi; RETURN 1; END',
            );
          assert.equal((await fault(ask({ sql }))).fault, 'failed');
          assert.equal(Number(await database.value('SELECT count(*) FROM don_vi')), 3);
        });

      it('ends at the server when the deadline passes, without our help', async () => {
        const connector = open({ sql: ENDLESS[engine.engine] });
        const error = await fault(connector.call(call({ deadline: Date.now() + 400 }), forever()));
        // MariaDB’s sleep() answers 1 when it is ended; the row then comes back as a fault of the statement.
        assert.ok(error.fault === 'timeout' || error.fault === 'failed');
      });

      it('is unreachable with a wrong password, and says neither user nor host', async () => {
        if (engine.engine === 'postgres') return; // the test server trusts everybody
        const connector = createConnector(
          {
            kind: 'sql',
            settings: database.settings,
            operations: { op: { sql: 'SELECT 1 AS n' } },
            facts: [],
          },
          context({ egress: database.egress, credentials: { matKhau: 'sai' } }),
        );
        opened.push(connector);
        const error = await fault(connector.call(call(), forever()));
        assert.equal(error.fault, 'unreachable');
        assert.ok(!error.message.includes('lgsp_sql'));
      });

      it('is unreachable when the address is not allowed', async () => {
        const connector = createConnector(
          {
            kind: 'sql',
            settings: database.settings,
            operations: { op: { sql: 'SELECT 1 AS n' } },
            facts: [],
          },
          context({
            credentials: database.credentials,
            egress: openEgress({ addresses: ['10.0.0.1'] }),
          }),
        );
        opened.push(connector);
        assert.equal((await fault(connector.call(call(), forever()))).fault, 'unreachable');
      });

      it('gives dates as ISO 8601 and bytes as base64', async () => {
        const sql =
          engine.engine === 'postgres'
            ? "SELECT DATE '2025-08-01' AS d, TIMESTAMP '2025-08-01 08:30:00' AS t, TIMESTAMPTZ '2025-08-01 08:30:00+07' AS z, '\\x616263'::bytea AS b, 1.50::numeric AS n, true AS c"
            : "SELECT DATE '2025-08-01' AS d, TIMESTAMP '2025-08-01 08:30:00' AS t, FROM_UNIXTIME(1754011800) AS z, CAST('abc' AS BINARY) AS b, CAST(1.5 AS DECIMAL(5,2)) AS n, 1 AS c";
        const { json } = await ask({ sql, one: true });
        const { z, ...rest } = json as Record<string, unknown>;
        assert.deepEqual(rest, {
          d: '2025-08-01',
          t: '2025-08-01T08:30:00',
          b: 'YWJj',
          n: '1.50',
          c: engine.engine === 'postgres' ? true : 1,
        });
        if (engine.engine === 'postgres') assert.equal(Date.parse(String(z)), 1754011800000);
        else assert.match(String(z), /^2025-08-01T08:30:00/);
      });
    }
  });
