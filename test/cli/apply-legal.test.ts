import assert from 'node:assert/strict';
import { applyTree, loadTree } from '../../gateway/cli/apply.js';
import { successorsFirst } from '../../gateway/cli/apply/legal-bases.js';
import { exportTree } from '../../gateway/cli/export.js';
import type { TreeLegalBasis } from '../../gateway/cli/tree-legal.js';
import { engines } from '../kit/databases.js';
import { Desk } from '../control/desk.js';
import { folderWith } from './folder.js';

const BASES = `
- id: 01-qd-vd
  number: 01/QĐ-VD
  title: Quyết định cũ (giả định)
  issuer: UBND tỉnh (giả định)
  kind: quyet_dinh
  validFrom: '2025-01-01'
  replacedBy: 02-qd-vd
  clauses:
    - { id: d1, label: Điều 1, summary: Thời hạn, validTo: '2025-12-31' }
- { id: 02-qd-vd, number: 02/QĐ-VD, title: Quyết định mới (giả định), issuer: UBND tỉnh, kind: quyet_dinh }
`;
const DAYS = `
- { day: '2026-01-01', kind: holiday, name: Tết Dương lịch, legalBasis: 01-qd-vd#d1 }
- { day: '2026-01-10', kind: workday, name: Làm bù (giả định) }
`;

const basis = (id: string, links: Partial<TreeLegalBasis> = {}): TreeLegalBasis => ({
  id,
  number: id,
  title: id,
  issuer: id,
  kind: 'khac',
  clauses: [],
  ...links,
});

describe('documents in their order', () => {
  it('put what amends or replaces a document before it', () => {
    const ordered = successorsFirst([
      basis('a', { replacedBy: 'b', amendedBy: 'c' }),
      basis('b'),
      basis('c'),
    ]);
    assert.equal(ordered.at(-1)?.id, 'a');
    assert.equal(ordered.length, 3);
  });

  it('refuse a circle, and leave what the files do not hold to the gateway', () => {
    assert.throws(
      () => successorsFirst([basis('a', { replacedBy: 'b' }), basis('b', { amendedBy: 'a' })]),
      /a < b < a is a circle/,
    );
    assert.equal(successorsFirst([basis('a', { replacedBy: 'elsewhere' })]).length, 1);
  });
});

for (const engine of engines) {
  describe(`legal bases and calendar as files, on ${engine.name}`, () => {
    let desk: Desk;
    let dropped: (() => void)[] = [];

    beforeEach(async () => {
      desk = await Desk.open(engine);
    });
    afterEach(async () => {
      for (const drop of dropped) drop();
      dropped = [];
      await desk.close();
    });

    const treeOf = (files: Readonly<Record<string, string | Buffer>>) => {
      const folder = folderWith(files);
      dropped.push(() => folder.drop());
      return loadTree(folder.path, {});
    };

    const apply = async (files: Record<string, string | Buffer>, options = {}) => {
      const api = desk.api(await desk.caller('admin'));
      const { rows } = await applyTree({ api, tree: treeOf(files) }, options);
      return rows.map(({ noun, key, action, steps }) => `${noun} ${key} ${action}: ${steps.join()}`);
    };
    const FILES = { 'legal-bases.yaml': BASES, 'calendar.yaml': DAYS };

    it('are made once, then unchanged, then brought to what changed', async () => {
      assert.deepEqual(await apply(FILES, { dryRun: true }), await apply(FILES));
      assert.deepEqual(await apply(FILES), [
        'legal_basis 02-qd-vd unchanged: ',
        'legal_basis 01-qd-vd unchanged: ',
        'calendar_day 2026-01-01 unchanged: ',
        'calendar_day 2026-01-10 unchanged: ',
      ]);
      const changed = {
        'legal-bases.yaml': BASES.replace('Thời hạn,', 'Thời hạn trả lời,').replace(
          "validFrom: '2025-01-01'",
          "validFrom: '2025-02-01'",
        ),
        'calendar.yaml': DAYS.replace('Tết Dương lịch', 'Tết'),
      };
      assert.deepEqual(await apply(changed), [
        'legal_basis 02-qd-vd unchanged: ',
        'legal_basis 01-qd-vd updated: validFrom, clauses',
        'calendar_day 2026-01-01 updated: name',
        'calendar_day 2026-01-10 unchanged: ',
      ]);
    });

    it('come out as they went in', async () => {
      await apply(FILES);
      const files = await exportTree(desk.api(await desk.caller('admin')));
      assert.ok(files['legal-bases.yaml'] !== undefined && files['calendar.yaml'] !== undefined);
      const again = treeOf(files);
      const before = treeOf(FILES);
      assert.deepEqual(again.legalBases, before.legalBases);
      assert.deepEqual(again.calendar, before.calendar);
      assert.ok((await apply({ ...files })).every((row) => row.includes('unchanged')));
    });
  });
}
