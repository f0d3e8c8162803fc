import assert from 'node:assert/strict';
import { certificateStanding, certificateThumbprint } from '../../gateway/base/certificate.js';
import { makeIdentity } from '../kit/certificates.js';

describe('certificates of callers', () => {
  const { x509, thumbprint } = makeIdentity('mot-cua', { days: 1 });
  const [from, until] = [Date.parse(x509.validFrom), Date.parse(x509.validTo)];

  it('are known by the digest that openssl computes', () => {
    assert.equal(certificateThumbprint(x509), thumbprint);
  });

  for (const [name, at, standing] of [
    ['before its first second', from - 1, 'early'],
    ['in its first second', from, 'valid'],
    ['in its last second', until, 'valid'],
    ['after it', until + 1, 'expired'],
  ] as const)
    it(`stand ${name} as ${standing}`, () => {
      assert.equal(certificateStanding(x509, at), standing);
    });
});
