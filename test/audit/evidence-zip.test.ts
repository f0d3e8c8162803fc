import assert from 'node:assert/strict';
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import yazl from 'yazl';
import { FILES } from '../../gateway/audit/evidence/format.js';
import { openBundle } from '../../gateway/audit/evidence/zip-in.js';
import { zipped } from '../../gateway/audit/evidence/zip-out.js';

const MIB = 1_048_576;
const names = Object.values(FILES);

async function bytesOf(chunks: AsyncIterable<Buffer>): Promise<number> {
  let bytes = 0;
  for await (const chunk of chunks) bytes += chunk.length;
  return bytes;
}

describe('the archive of a bundle', () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), 'lgsp-zip-'))));
  after(() => rmSync(folder, { recursive: true }));

  it('is read in ZIP64 form too', async () => {
    const archive = new yazl.ZipFile();
    for (const name of names) archive.addBuffer(Buffer.from(name), name, { forceZip64Format: true });
    archive.end({ forceZip64Format: true, comment: '' });
    const file = join(folder, 'small.zip');
    await pipeline(archive.outputStream, createWriteStream(file));
    const files = await openBundle(file);
    for (const name of names) assert.equal((await files.held(name)).toString(), name);
    files.close();
  });

  it('holds a file past 4 GiB, and those after it', async function () {
    // A minute and more of one processor.
    if (process.env['LGSP_TEST_LARGE'] !== 'on') return this.skip();
    this.timeout(900_000);
    const parts = 4097;
    const zeros = Buffer.alloc(MIB);
    const packed = names.map((name) => ({
      name,
      *chunks() {
        for (let part = name === FILES.records ? parts : 0; part > 0; part -= 1) yield zeros;
        yield name;
      },
    }));
    const file = join(folder, 'large.zip');
    await pipeline(Readable.from(zipped(packed, new Date()), { objectMode: false }), createWriteStream(file));
    const files = await openBundle(file);
    assert.equal(await bytesOf(files.stream(FILES.records)), parts * MIB + FILES.records.length);
    for (const name of names.filter((one) => one !== FILES.records))
      assert.equal((await files.held(name)).toString(), name);
    files.close();
  });
});
