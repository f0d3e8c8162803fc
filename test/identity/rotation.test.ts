import assert from 'node:assert/strict';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { engines, type TestDatabase } from '../kit/databases.js';
import { HeldClock } from './held-clock.js';
import {
  basic,
  GRANT,
  type IdentityNode,
  Register,
  secretCredential,
  startIdentityNode,
} from './identity-node.js';

const OVERLAP = 5000;

for (const engine of engines) {
  describe(`key rotation on ${engine.name}`, () => {
    let test: TestDatabase;
    let clock: HeldClock;
    let nodes: [IdentityNode, IdentityNode];
    const register = new Register();
    register.add('app', { credentials: [secretCredential('s', 'hush')] });

    beforeEach(async () => {
      test = await engine.create();
      clock = new HeldClock();
      const publicUrl = 'https://lgsp.example.vn';
      const one = await startIdentityNode({ database: test.database, clients: register, clock, publicUrl });
      const shared = { clients: register, clock, publicUrl, sealing: one.sealing };
      nodes = [one, await startIdentityNode({ ...shared, database: test.again() })];
    });
    afterEach(async () => {
      for (const node of nodes) await node.close();
      await test.drop();
    });

    async function ask(node: IdentityNode): Promise<string> {
      const response = await node.token(GRANT, basic('app', 'hush'));
      const body = (await response.json()) as { access_token: string };
      assert.equal(response.status, 200, JSON.stringify(body));
      return body.access_token;
    }
    async function verifyEverywhere(text: string): Promise<void> {
      for (const { verifier, resources } of nodes) await verifier.verify(`Bearer ${text}`, resources.data);
    }
    const kidOf = (text: string): string => decodeProtectedHeader(text).kid ?? '';

    it('changes the signer on every node at its moment, without a restart', async () => {
      const [one, two] = nodes;
      const old = kidOf(await ask(one));
      const { kid } = await one.keyRing.rotate('token');
      await two.server.reload();
      clock.move(OVERLAP - 1);
      assert.deepEqual([kidOf(await ask(one)), kidOf(await ask(two))], [old, old]);
      clock.move(1);
      assert.deepEqual([kidOf(await ask(one)), kidOf(await ask(two))], [kid, kid]);
      const published = (await (await fetch(`${two.base}/oidc/jwks`)).json()) as { keys: { kid: string }[] };
      assert.deepEqual(
        published.keys.map((key) => key.kid),
        [old, kid],
      );
    });

    it('dates tokens by the clock of the gateway', async () => {
      clock.move(3_600_000);
      const { iat, exp } = decodeJwt(await ask(nodes[0]));
      const now = Math.floor(clock.now() / 1000);
      assert.deepEqual([iat, exp], [now, now + 600]);
    });

    it('refuses no valid token, old or new, on any node, under load', async () => {
      const [one, two] = nodes;
      const issued: { text: string; until: number }[] = [];
      const seen = new Set<string>();
      let asked = 0;
      const answered = new Map<IdentityNode, number>();
      let done = false;
      const caller = async (node: IdentityNode): Promise<void> => {
        // Ends with the rotations; the bound is for a test that hangs.
        while (!done && asked < 5000) {
          asked += 1;
          const until = clock.now() + node.config.tokens.ttlSeconds * 1000 - 1000;
          const text = await ask(node);
          issued.push({ text, until });
          seen.add(kidOf(text));
          answered.set(node, (answered.get(node) ?? 0) + 1);
          await verifyEverywhere(text);
        }
      };
      const allAnswerAnew = async (): Promise<void> => {
        // Two callers of a node may have asked before the clock moved; its third answer came after.
        const targets = nodes.map((node) => (answered.get(node) ?? 0) + 3);
        while (asked < 5000 && nodes.some((node, i) => (answered.get(node) ?? 0) < targets[i]!))
          await new Promise((resolve) => setImmediate(resolve));
      };
      const rotations = async (): Promise<void> => {
        await allAnswerAnew();
        for (let round = 0; round < 3; round += 1) {
          await (round % 2 === 0 ? one : two).keyRing.rotate('token');
          // One node is told in time; the other may learn from a token it cannot read yet.
          if (round !== 1) await Promise.all(nodes.map((node) => node.server.reload()));
          clock.move(OVERLAP);
          await allAnswerAnew();
          for (const { text, until } of issued) if (clock.now() < until) await verifyEverywhere(text);
        }
        done = true;
      };
      await Promise.all([caller(one), caller(two), caller(one), rotations()]);
      assert.equal(seen.size, 4, 'each key has signed');
      clock.move(590_000 - 3 * OVERLAP);
      for (const { text, until } of issued) if (clock.now() < until) await verifyEverywhere(text);
      assert.ok(issued.length >= 30);
    });

    it('lets nodes that rotate at the same moment agree on the signer', async () => {
      // Two SQLite connections of one process would wait for each other: its driver blocks the thread.
      const rotating = engine.name === 'SQLite' ? [nodes[0], nodes[0]] : nodes;
      await Promise.all(rotating.map((node) => node.keyRing.rotate('token')));
      await Promise.all(nodes.map((node) => node.server.reload()));
      clock.move(OVERLAP);
      const kids = await Promise.all(nodes.map(async (node) => kidOf(await ask(node))));
      assert.equal(kids[0], kids[1]);
      assert.equal(nodes[0].keyRing.tokenKeys().length, 3);
    });

    it('ends a key when its last token is over', async () => {
      const [one] = nodes;
      const text = await ask(one);
      await one.keyRing.rotate('token');
      clock.move(OVERLAP + 600_000 + 60_000);
      await one.keyRing.reload();
      assert.equal(one.keyRing.verificationKey(kidOf(text)), undefined);
      assert.equal(one.keyRing.tokenKeys().length, 1);
    });
  });
}
