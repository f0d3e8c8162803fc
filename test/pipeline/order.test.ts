import assert from 'node:assert/strict';
import type { Stage } from '../../gateway/base/exchange.js';
import { assertOrder } from '../../gateway/pipeline/table.js';

const stage = (name: Stage['name'], needs: string[], gives: string[]): Stage => ({
  name,
  needs,
  gives,
  run: () => undefined,
});

describe('the order of the doors', () => {
  it('is accepted when every need was given before', () => {
    const stages = [stage('match', [], ['service']), stage('authorise', ['service'], ['allowed'])];
    assert.equal(assertOrder('data', stages), stages);
  });

  it('is refused when a door needs what only a later door gives', () => {
    const stages = [stage('authorise', ['service'], ['allowed']), stage('match', [], ['service'])];
    assert.throws(() => assertOrder('data', stages), /authorise needs service/);
  });
});
