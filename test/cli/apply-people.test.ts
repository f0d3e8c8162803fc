import assert from 'node:assert/strict';
import { parse } from 'yaml';
import { applyTree, loadTree, type MadeCredential } from '../../gateway/cli/apply.js';
import { exportTree } from '../../gateway/cli/export.js';
import { Desk, type Caller } from '../control/desk.js';
import { engines } from '../kit/databases.js';
import { PAPER } from '../kit/province.js';
import { folderWith } from './folder.js';

const PEOPLE = `
- { id: le.thi.mau, agency: H35, name: Lê Thị Mẫu, email: mau@laichau.example, roles: [provider], document: ${PAPER}, validFrom: '2025-08-01', validTo: '2026-12-31' }
- { id: do.van.khoa, agency: H35, name: Đỗ Văn Khóa, roles: [consumer], state: locked, reason: Chuyển công tác, document: ${PAPER} }
`;

for (const engine of engines) {
  describe(`lgsp apply of people on ${engine.name}`, () => {
    let desk: Desk;
    let admin: Caller;
    beforeEach(async () => {
      desk = await Desk.open(engine);
      admin = await desk.caller('admin');
    });
    afterEach(() => desk.close());

    async function apply(people: string, options = {}) {
      const folder = folderWith({ 'people.yaml': people });
      try {
        return await applyTree({ api: desk.api(admin), tree: loadTree(folder.path, {}) }, options);
      } finally {
        folder.drop();
      }
    }

    it('registers them once, keeps each temporary password, and changes nothing the second time', async () => {
      const kept: MadeCredential[] = [];
      const first = await apply(PEOPLE, { onCredential: (one: MadeCredential) => kept.push(one) });
      assert.deepEqual(
        first.rows.map(({ noun, key, steps }) => [noun, key, ...steps]),
        [
          ['person', 'le.thi.mau', 'register'],
          ['person', 'do.van.khoa', 'register', 'lock'],
        ],
      );
      assert.deepEqual(
        kept.map((one) => [one.id, one.auth]),
        [
          ['le.thi.mau', 'password'],
          ['do.van.khoa', 'password'],
        ],
      );
      const second = await apply(PEOPLE);
      assert.ok(second.rows.every(({ action }) => action === 'unchanged'));
    });

    it('changes what the files say: name, roles on the document, a later last day, the state', async () => {
      await apply(PEOPLE);
      const changed = PEOPLE.replace('Lê Thị Mẫu', 'Lê Thị Mẫu Mới')
        .replace('[provider]', '[provider, consumer]')
        .replace('2026-12-31', '2027-12-31')
        .replace(', state: locked, reason: Chuyển công tác', '');
      const { rows } = await apply(changed);
      assert.deepEqual(
        rows.map(({ key, steps }) => [key, ...steps]),
        [
          ['le.thi.mau', 'name, roles', 'extend'],
          ['do.van.khoa', 'unlock'],
        ],
      );
      await assert.rejects(apply(changed.replace('2027-12-31', '2026-01-01')), /not shortened/);
    });

    it('is what export writes, without anything that proves them', async () => {
      await apply(PEOPLE);
      const files = await exportTree(desk.api(admin));
      const text = String(files['people.yaml']);
      assert.deepEqual(parse(text), [
        {
          id: 'do.van.khoa',
          agency: 'H35',
          name: 'Đỗ Văn Khóa',
          roles: ['consumer'],
          state: 'locked',
          reason: 'Chuyển công tác',
          document: PAPER,
          validFrom: '2025-08-01',
        },
        {
          id: 'le.thi.mau',
          agency: 'H35',
          name: 'Lê Thị Mẫu',
          email: 'mau@laichau.example',
          roles: ['provider'],
          document: PAPER,
          validFrom: '2025-08-01',
          validTo: '2026-12-31',
        },
      ]);
      assert.doesNotMatch(text, /argon|password|totp/);
      const { rows } = await apply(text);
      assert.ok(rows.every(({ action }) => action === 'unchanged'));
    });
  });
}
