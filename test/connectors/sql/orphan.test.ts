import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { ownModule } from '../../kit/own-module.js';

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

describe('sql connector: a gateway that is killed', function () {
  if (process.platform !== 'linux') return;

  it('leaves no SQLite process behind, even in a heavy statement', async () => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'lgsp-orphan-')));
    const file = join(folder, 'data.db');
    new Database(file).exec('CREATE TABLE t (a)').close();
    const children = (): string[] =>
      readdirSync('/proc').filter(
        (pid) =>
          /^\d+$/.test(pid) &&
          /sqlite-child\.[jt]s\0/.test(commandOf(pid)) &&
          commandOf(pid).includes(`\0${file}`),
      );
    const { path, execArgv } = ownModule(import.meta.url, './heavy-gateway');
    const gateway = fork(path, [file], { execArgv: [...execArgv] });
    await once(gateway, 'message');
    assert.equal(children().length, 1);
    gateway.kill('SIGKILL');
    for (let turn = 0; turn < 100 && children().length > 0; turn += 1)
      await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual(children(), []);
    rmSync(folder, { recursive: true, force: true });
  });
});
