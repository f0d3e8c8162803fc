import assert from 'node:assert/strict';
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  verify,
} from 'node:crypto';
import {
  checkpointBody,
  noteSigner,
  openCheckpoint,
  openNote,
  parseCheckpoint,
  parseVerifierKey,
  signCheckpoint,
  verifierKeyText,
} from '../../gateway/audit/checkpoint.js';

// The example of golang.org/x/mod/sumdb/note, whose format C2SP signed-note took over.
const GO_SIGNER = 'AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz';
const GO_VERIFIER = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const GO_TEXT =
  "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const GO_NOTE = `${GO_TEXT}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n`;

function fromSeed(typedSeed: string): KeyObject {
  const seed = Buffer.from(typedSeed, 'base64').subarray(1);
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
}

const ORIGIN = 'lgsp.laichau.example/log';
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const other = generateKeyPairSync('ed25519');
const signer = noteSigner(ORIGIN, privateKey);
const known = [parseVerifierKey(signer.verifierKey)];
const head = { size: 20_852_163, root: Buffer.alloc(32, 7) };

describe('a signed note', () => {
  it('is, byte for byte, the one of the published example', () => {
    const go = noteSigner('PeterNeumann', fromSeed(GO_SIGNER));
    assert.equal(go.verifierKey, GO_VERIFIER);
    assert.equal(go.sign(GO_TEXT), GO_NOTE);
    assert.equal(openNote(GO_NOTE, [parseVerifierKey(GO_VERIFIER)]), GO_TEXT);
  });

  it('has the structure that C2SP describes', () => {
    const note = signCheckpoint(head, signer);
    const [origin, size, root, empty, line, end] = note.split('\n');
    assert.deepEqual(
      [origin, size, root, empty, end],
      [ORIGIN, '20852163', head.root.toString('base64'), '', ''],
    );
    const [dash, name, encoded] = line!.split(' ');
    assert.deepEqual([dash, name], ['\u2014', ORIGIN]);
    const bytes = Buffer.from(encoded!, 'base64');
    const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url');
    const keyHash = createHash('sha256')
      .update(Buffer.concat([Buffer.from(ORIGIN), Buffer.from([0x0a, 0x01]), raw]))
      .digest()
      .subarray(0, 4);
    assert.deepEqual(bytes.subarray(0, 4), keyHash);
    assert.ok(verify(null, Buffer.from(`${ORIGIN}\n20852163\n${root!}\n`), publicKey, bytes.subarray(4)));
  });

  it('is opened by its key, also when a witness signed it too', () => {
    const note = signCheckpoint(head, signer);
    assert.deepEqual(openCheckpoint(note, known), { ...head, origin: ORIGIN });
    const witness = noteSigner('witness.example', other.privateKey);
    const line = witness.sign(note.split('\n\n')[0]! + '\n').split('\n\n')[1]!;
    assert.deepEqual(openCheckpoint(note + line, known), { ...head, origin: ORIGIN });
  });

  const note = signCheckpoint(head, signer);
  const forged = noteSigner(ORIGIN, other.privateKey);
  const elsewhere = noteSigner('other.example/log', privateKey);
  const bad: readonly [name: string, note: string][] = [
    ['another size', note.replace('20852163', '20852164')],
    ['another root', note.replace(/\nBwc/, '\nCwc')],
    ['another key of the same name', signCheckpoint(head, forged)],
    ['another origin with the same key', signCheckpoint(head, elsewhere)],
    [
      'a second signature of the same key that is false',
      note + note.split('\n\n')[1]!.replace(/.{6}=?=?\n$/, 'AAAAAA\n'),
    ],
    ['no signature', note.split('\n\n')[0]! + '\n\n'],
    ['no end of line', note.slice(0, -1)],
    ['a hyphen for the dash', note.replace('\u2014', '-')],
    ['nothing', ''],
  ];
  for (const [name, text] of bad) {
    it(`is refused with ${name}`, () => assert.equal(openCheckpoint(text, known), null));
  }

  it('is refused when only a key of another name signed this origin', () => {
    const witness = noteSigner('witness.example', other.privateKey);
    const text = witness.sign(checkpointBody({ ...head, origin: ORIGIN }));
    assert.equal(openCheckpoint(text, [...known, parseVerifierKey(witness.verifierKey)]), null);
  });
});

describe('a verifier key', () => {
  it('is the same from the private and from the public half', () => {
    assert.equal(verifierKeyText(ORIGIN, privateKey), verifierKeyText(ORIGIN, publicKey));
    assert.equal(verifierKeyText(ORIGIN, createPublicKey(privateKey)), signer.verifierKey);
  });

  const bad: readonly [name: string, text: string][] = [
    ['a wrong hash', GO_VERIFIER.replace('c74f20a3', 'c74f20a4')],
    ['another name', GO_VERIFIER.replace('Peter', 'Paul')],
    ['a cut key', GO_VERIFIER.slice(0, -4)],
    ['another algorithm', GO_VERIFIER.replace('+ARpc', '+AhPc')],
    ['no key', 'PeterNeumann+c74f20a3'],
    ['nothing', ''],
  ];
  for (const [name, text] of bad) {
    it(`is refused with ${name}`, () => assert.throws(() => parseVerifierKey(text), RangeError));
  }

  for (const name of ['', 'has space', 'a+b', 'line\nend', 'no\u00a0break']) {
    it(`cannot be named ${JSON.stringify(name)}`, () =>
      assert.throws(() => noteSigner(name, privateKey), RangeError));
  }

  it('is of Ed25519 alone', () => {
    assert.throws(
      () => noteSigner(ORIGIN, generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey),
      TypeError,
    );
  });
});

describe('the text of a checkpoint', () => {
  const root = Buffer.alloc(32, 1).toString('base64');
  const cases: readonly [name: string, text: string, holds: boolean][] = [
    ['three lines', `o\n5\n${root}\n`, true],
    ['an extension line', `o\n5\n${root}\nmore\n`, true],
    ['size 0', `o\n0\n${root}\n`, true],
    ['a leading zero', `o\n05\n${root}\n`, false],
    ['a negative size', `o\n-5\n${root}\n`, false],
    ['a size past what can be counted', `o\n9999999999999999\n${root}\n`, false],
    ['a short root', `o\n5\nAQEB\n`, false],
    ['no origin', `\n5\n${root}\n`, false],
    ['two lines', `o\n5`, false],
  ];
  for (const [name, text, holds] of cases) {
    it(`is ${holds ? 'read' : 'refused'} with ${name}`, () =>
      assert.equal(parseCheckpoint(text) !== null, holds));
  }
});
