import assert from 'node:assert/strict';
import { DpopNonces, NONCE_LIFE_MS } from '../../gateway/identity/dpop-nonces.js';
import { createSealing } from '../../gateway/identity/sealing.js';
import { HeldClock } from './held-clock.js';

/** The beginning of a minute. */
const START = 1_800_000_000_000;

describe('nonces for DPoP proofs', () => {
  const key = Buffer.alloc(32, 1);

  for (const [name, ms, accepted] of [
    ['at once', 0, true],
    ['until its last millisecond', NONCE_LIFE_MS - 1, true],
    ['not after', NONCE_LIFE_MS, false],
    ['on a node whose clock is a minute behind', -60_000, true],
    ['not on one that is two minutes behind', -60_001, false],
  ] as const)
    it(`are accepted ${name}`, () => {
      const nonce = new DpopNonces(key, new HeldClock(START)).current();
      assert.equal(new DpopNonces(key, new HeldClock(START + ms)).accepts(nonce), accepted);
    });

  it('change every minute', () => {
    const clock = new HeldClock(START);
    const nonces = new DpopNonces(key, clock);
    const first = nonces.current();
    clock.move(59_999);
    assert.equal(nonces.current(), first);
    clock.move(1);
    assert.notEqual(nonces.current(), first);
  });

  it('are nothing that another key accepts', () => {
    const clock = new HeldClock(START);
    const nonce = new DpopNonces(key, clock).current();
    const other = new DpopNonces(Buffer.alloc(32, 2), clock);
    for (const text of [nonce, '', nonce.slice(1), `${nonce}x`, 'é'.repeat(43)])
      assert.equal(other.accepts(text), false);
  });

  it('come from a key that nodes with one master key share, for one purpose', () => {
    const derive = (fill: number, purpose: string): string =>
      createSealing(Buffer.alloc(32, fill)).derive(purpose).toString('hex');
    assert.equal(derive(1, 'a'), derive(1, 'a'));
    assert.equal(new Set([derive(1, 'a'), derive(1, 'b'), derive(2, 'a')]).size, 3);
    assert.equal(derive(1, 'a').length, 64);
  });
});
