import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';

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
        (pid) => /^\d+$/.test(pid) && commandOf(pid).includes(`sqlite-child.ts\0${file}`),
      );
    const gateway = fork(fileURLToPath(new URL('./heavy-gateway.ts', import.meta.url)), [file], {
      execArgv: ['--import', 'tsx'],
    });
    await once(gateway, 'message');
    assert.equal(children().length, 1);
    gateway.kill('SIGKILL');
    for (let turn = 0; turn < 100 && children().length > 0; turn += 1)
      await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual(children(), []);
    rmSync(folder, { recursive: true, force: true });
  });
});
