import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { normalIdentifier, SubjectDigests } from '../../gateway/identity/subject-digests.js';

const key = (kid: string, byte: number) => ({
  ...{ kid, secret: Buffer.alloc(32, byte).toString('base64url'), signsFrom: 0, verifiesUntil: null },
});

describe('the spelling of an identifier', () => {
  for (const [sent, spelled] of [
    ['012345678901', '012345678901'],
    [' 0123 4567 8901\t', '012345678901'],
    ['0123\u00a04567\u20098901', '012345678901'],
    ['dn\u200b4010012345678', 'DN4010012345678'],
    ['6200000001-001', '6200000001-001'],
    ['a\u0302', 'Â'],
    ['\u00e2', 'Â'],
    [' \n', ''],
  ] as const) {
    it(`${JSON.stringify(sent)} is ${JSON.stringify(spelled)}`, () =>
      assert.equal(normalIdentifier(sent), spelled));
  }
});

describe('digests of persons', () => {
  const keys = [key('k1', 1), key('k2', 2)];
  const digests = new SubjectDigests({ subjectKey: () => keys[1]!, subjectKeys: () => keys });

  it('are HMAC-SHA-256 over kind and identifier, as the documents say', () => {
    const mac = createHmac('sha256', Buffer.alloc(32, 2)).update('citizen\n012345678901').digest('base64url');
    assert.equal(digests.of('citizen', '0123 4567 8901'), `k2:citizen:${mac}`);
  });

  it('differ by kind and by key, and are found under every key', () => {
    const all = [...digests.allOf('citizen', '1'), ...digests.allOf('enterprise', '1')];
    assert.equal(new Set(all.map((digest) => digest.split(':').at(-1))).size, 4);
    assert.equal(digests.allOf('citizen', '1').at(-1), digests.of('citizen', '1'));
  });
});
