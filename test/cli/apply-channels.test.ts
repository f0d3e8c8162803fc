import assert from 'node:assert/strict';
import { parse } from 'yaml';
import { applyTree, loadTree, type MadeCredential } from '../../gateway/cli/apply.js';
import { exportTree } from '../../gateway/cli/export.js';
import { type Caller, Desk } from '../control/desk.js';
import { engines } from '../kit/databases.js';
import { folderWith } from './folder.js';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const CHANNELS = `
- { id: van-thu, agency: H35, kind: email, target: van-thu@laichau.example }
- { id: he-thong, agency: H35, kind: webhook, target: 'http://127.0.0.1:9/nhan', kinds: [grant_expired], secret: { env: CHANNEL_HE_THONG_SECRET } }
- { id: moi, agency: H35, kind: webhook, target: 'http://127.0.0.1:9/moi', active: false }
`;

for (const engine of engines) {
  describe(`lgsp apply of channels on ${engine.name}`, () => {
    let desk: Desk;
    let admin: Caller;
    beforeEach(async () => {
      desk = await Desk.open(engine);
      admin = await desk.caller('admin');
    });
    afterEach(() => desk.close());

    async function apply(
      channels: string,
      options = {},
      env: Record<string, string> = { CHANNEL_HE_THONG_SECRET: SECRET },
    ) {
      const folder = folderWith({ 'channels.yaml': channels });
      try {
        return await applyTree({ api: desk.api(admin), tree: loadTree(folder.path, env) }, options);
      } finally {
        folder.drop();
      }
    }
    const steps = async (...args: Parameters<typeof apply>) =>
      (await apply(...args)).rows.map((row) => [row.key, ...row.steps]);

    it('opens them once, keeps a secret that was made, and changes what the files say', async () => {
      const kept: MadeCredential[] = [];
      assert.deepEqual(await steps(CHANNELS, { onCredential: (one: MadeCredential) => kept.push(one) }), [
        ['van-thu', 'open'],
        ['he-thong', 'open'],
        ['moi', 'open', 'switch off'],
      ]);
      assert.deepEqual(
        kept.map(({ id, auth }) => [id, auth]),
        [['moi', 'webhook']],
      );
      assert.ok((await apply(CHANNELS)).rows.every(({ action }) => action === 'unchanged'));
      const changed = CHANNELS.replace('van-thu@', 'hanh-chinh@').replace(
        '[grant_expired]',
        '[grant_expired, access_ending]',
      );
      assert.deepEqual(await steps(changed), [['van-thu', 'target'], ['he-thong', 'kinds'], ['moi']]);
      await assert.rejects(apply(CHANNELS, {}, {}), /CHANNEL_HE_THONG_SECRET has no value/);
    });

    it('exports them without their secrets, so that they can be applied again', async () => {
      await apply(CHANNELS);
      const text = String((await exportTree(desk.api(admin)))['channels.yaml']);
      assert.ok(!text.includes('whsec_'));
      assert.deepEqual(
        parse(text).map(({ id, secret, active }: any) => [id, secret?.env, active]),
        [
          ['he-thong', 'CHANNEL_HE_THONG_SECRET', undefined],
          ['moi', 'CHANNEL_MOI_SECRET', false],
          ['van-thu', undefined, undefined],
        ],
      );
      const env = { CHANNEL_HE_THONG_SECRET: SECRET, CHANNEL_MOI_SECRET: SECRET };
      assert.ok((await apply(text, {}, env)).rows.every(({ action }) => action === 'unchanged'));
    });
  });
}
