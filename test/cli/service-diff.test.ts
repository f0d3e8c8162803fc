import assert from 'node:assert/strict';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { applyTree, loadTree } from '../../gateway/cli/apply.js';
import { runCommand } from '../../gateway/cli/program.js';
import { exportTree } from '../../gateway/cli/export.js';
import { DOCUMENT, Desk, manifestOf } from '../control/desk.js';
import { engines } from '../kit/databases.js';
import { folderWith } from './folder.js';

const BROKEN = DOCUMENT.replace('operationId: traCuu', 'operationId: traCuuMoi');
const WIDER = DOCUMENT.replace(
  '{ ten: { type: string } }',
  '{ ten: { type: string }, ma: { type: string } }',
);

describe('lgsp service diff', () => {
  const folder = folderWith({
    'cu.yaml': DOCUMENT,
    'rong.yaml': WIDER,
    'hong.yaml': BROKEN,
    'hai-cho.yaml': BROKEN.replace('ten: { type: string }', 'ten: { type: integer }'),
    'khong.yaml': 'x',
    'mot/manifest.yaml': stringify(manifestOf('H35', 'a')),
    'mot/openapi.yaml': DOCUMENT,
    'hai/manifest.yaml': stringify(manifestOf('H35', 'a', { sharing: 'special', timeoutMs: 10 })),
    'hai/openapi.yaml': WIDER,
  });
  after(() => folder.drop());
  async function diff(before: string, next: string, ...flags: string[]) {
    const said: string[] = [];
    const failed: string[] = [];
    const io = {
      env: {},
      out: (text: string) => void said.push(text),
      err: (text: string) => void failed.push(text),
    };
    const paths = [before, next].map((name) => join(folder.path, name));
    const code = await runCommand(['service', 'diff', ...paths, ...flags], io);
    return { code, out: said.join('\n'), err: failed.join('\n') };
  }

  it('exits 0 for what spares callers and says what it is', async () => {
    const { code, out } = await diff('cu.yaml', 'rong.yaml');
    assert.equal(code, 0);
    assert.match(
      out,
      /^compatible \/paths\/~1don-vi\/get\/responses\/200\/.*\/properties\/ma a property is new/,
    );
    assert.match((await diff('cu.yaml', 'cu.yaml')).out, /the same for callers/);
  });

  it('exits 1 for what breaks them, also for programs', async () => {
    const { code, out, err } = await diff('cu.yaml', 'hong.yaml', '--json');
    assert.equal(code, 1);
    assert.match(err, /1 breaking change: publish it as a new major version/);
    const { breaking, changes } = JSON.parse(out);
    assert.deepEqual([breaking, changes.map(({ rule }: any) => rule)], [true, ['operation-renamed']]);
  });

  it('compares the terms too, where both are folders', async () => {
    const { code, out } = await diff('mot', 'hai');
    assert.equal(code, 1);
    const [terms, patience, field, ...rest] = out.split('\n');
    assert.equal(terms, 'breaking   manifest /sharing it is shared in another way');
    assert.equal(patience, 'compatible manifest /timeoutMs the time the source is given has changed');
    assert.match(field ?? '', /^compatible \/paths\//);
    assert.deepEqual(rest, []);
    assert.equal((await diff('mot', 'mot/openapi.yaml')).out, 'the same for callers');
    assert.deepEqual(
      JSON.parse((await diff('mot', 'hai', '--json')).out).changes.map(({ part }: any) => part),
      ['manifest', 'manifest', 'document'],
    );
  });

  it('counts what breaks them', async () => {
    const { err } = await diff('cu.yaml', 'hai-cho.yaml');
    assert.match(err, /2 breaking changes: publish them as a new major version/);
  });

  it('exits 2 for what is no document', async () => {
    assert.equal((await diff('cu.yaml', 'khong.yaml')).code, 2);
  });
});

for (const engine of engines) {
  describe(`the end of a service in files, on ${engine.name}`, () => {
    it('is planned once, exported as it is, moved, and taken back', async () => {
      const desk = await Desk.open(engine);
      try {
        const admin = await desk.caller('admin');
        const apply = async (state: object | null) => {
          const folder = folderWith({
            'services/a/manifest.yaml': stringify(manifestOf('H35', 'a')),
            'services/a/openapi.yaml': DOCUMENT,
            ...(state === null ? {} : { 'service-states.yaml': stringify([state]) }),
          });
          try {
            const { rows } = await applyTree({ api: desk.api(admin), tree: loadTree(folder.path, {}) });
            return rows[0]?.steps;
          } finally {
            folder.drop();
          }
        };
        const ending = { service: 'a', state: 'published', sunsetOn: '2026-06-30', reason: 'Thay thế' };
        assert.deepEqual(await apply(ending), ['create', 'publish', 'deprecate']);
        assert.deepEqual(await apply(ending), []);
        const exported = parse(String((await exportTree(desk.api(admin)))['service-states.yaml']));
        assert.deepEqual(exported, [ending]);
        assert.deepEqual(await apply({ ...ending, sunsetOn: '2026-07-31' }), ['deprecate']);
        assert.deepEqual(await apply(null), ['undeprecate']);
      } finally {
        await desk.close();
      }
    });
  });
}
