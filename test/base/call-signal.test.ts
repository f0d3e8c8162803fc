import assert from 'node:assert/strict';
import { CallSignal } from '../../gateway/base/exchange.js';

describe('the signal that a call has ended', () => {
  it('tells each listener once, and keeps the first reason', () => {
    const signal = new CallSignal();
    const heard: unknown[] = [];
    signal.addEventListener('abort', () => heard.push(signal.reason));
    signal.end('deadline');
    signal.end('caller');
    assert.deepEqual(heard, ['deadline']);
    assert.equal(signal.aborted, true);
    assert.equal(signal.reason, 'deadline');
  });

  it('does not tell a listener that was removed, also by another listener', () => {
    const signal = new CallSignal();
    const heard: string[] = [];
    const gone = (): void => void heard.push('gone');
    signal.addEventListener('abort', gone);
    signal.addEventListener('abort', () => heard.push('stays'));
    signal.removeEventListener('abort', gone);
    signal.removeEventListener('abort', gone);
    assert.equal(signal.aborted, false);
    signal.end('caller');
    assert.deepEqual(heard, ['stays']);
  });
});
