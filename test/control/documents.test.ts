import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { engines, type TestDatabase } from '../kit/databases.js';
import { allRecords, startTestGateway, type TestGateway } from '../kit/gateway.js';
import { addAgency, addSystem, PAPER } from '../kit/province.js';
import { type Caller, Desk, refused } from './desk.js';

const LETTER = {
  id: 'h35-14--cv-12',
  number: '12/STP-VP',
  kind: 'written_request',
  issuedOn: '2025-07-01',
  issuer: 'Sở Tư pháp',
  signatory: 'Nguyễn Văn Mẫu',
  summary: 'Đề nghị cấp tài khoản kết nối',
};
const PDF = Buffer.from('%PDF-1.7\nvăn bản mẫu');

for (const engine of engines) {
  describe(`documents on ${engine.name}`, () => {
    let desk: Desk;
    let admin: Caller;
    let justice: Caller;
    let health: Caller;
    beforeEach(async () => {
      desk = await Desk.open(engine);
      admin = await desk.caller('admin');
      await desk.agency('H35.14', 'Sở Tư pháp');
      await desk.agency('H35.13', 'Sở Y tế');
      justice = await desk.system('tu-phap', 'H35.14', ['consumer']);
      health = await desk.system('y-te', 'H35.13', ['consumer']);
    });
    afterEach(() => desk.close());

    it('are entered by an agency, and seen by it and by those who see all', async () => {
      const { body, status } = await desk.call(justice, 'POST', '/documents', LETTER);
      assert.equal(status, 201);
      assert.equal(body.agency, 'H35.14');
      assert.equal(body.attachment, null);
      assert.equal((await desk.call(admin, 'GET', '/documents/h35-14--cv-12')).body.number, '12/STP-VP');
      await refused(desk.call(health, 'GET', '/documents/h35-14--cv-12'), 'object_not_found');
      const seen = async (caller: Caller, query = '') =>
        (await desk.call(caller, 'GET', `/documents${query}`)).body.items.map(({ id }: any) => id);
      assert.deepEqual(await seen(health), []);
      assert.deepEqual(await seen(justice), ['h35-14--cv-12']);
      assert.deepEqual(await seen(admin), ['h35-14--cv-12', PAPER]);
      assert.deepEqual(await seen(admin, '?q=tu phap'), ['h35-14--cv-12']);
      assert.deepEqual(await seen(admin, '?number=12/STP-VP'), ['h35-14--cv-12']);
    });

    for (const [title, change, code] of [
      ['an id of no namespace', { id: 'cv-12' }, 'request_invalid'],
      ['an id that begins like its own', { id: 'h35-14-cv-12' }, 'request_invalid'],
      ['a day to come', { issuedOn: '2025-08-02' }, 'request_invalid'],
      ['no signatory', { signatory: undefined }, 'request_invalid'],
      ['an issuer of blanks', { issuer: '  ' }, 'request_invalid'],
      ['a kind that is none', { kind: 'rumour' }, 'request_invalid'],
    ] as const)
      it(`are refused with ${title}`, () =>
        refused(desk.call(justice, 'POST', '/documents', { ...LETTER, ...change }), code).then(
          () => undefined,
        ));

    it('say nothing of what others have: an id that another agency uses is refused as a new one is', async () => {
      await desk.call(justice, 'POST', '/documents', LETTER);
      const answer = async (id: string) => {
        const { parts } = await refused(
          desk.call(health, 'POST', '/documents', { ...LETTER, id }),
          'request_invalid',
        );
        return parts;
      };
      const fresh = await answer('h35-14--cv-13');
      assert.equal(fresh.errors?.[0]?.keyword, 'namespace');
      for (const taken of [LETTER.id, PAPER]) assert.deepEqual(await answer(taken), fresh);
    });

    it('have their own ids once, and free ones from those who see all', async () => {
      await desk.call(justice, 'POST', '/documents', LETTER);
      await refused(desk.call(justice, 'POST', '/documents', LETTER), 'conflict');
      await refused(desk.call(admin, 'POST', '/documents', LETTER), 'conflict');
      assert.equal((await desk.call(admin, 'POST', '/documents', { ...LETTER, id: 'cv-12' })).status, 201);
      const { id: _none, ...unnamed } = LETTER;
      assert.equal((await desk.call(health, 'POST', '/documents', unnamed)).status, 201);
    });

    it('carry an act only for those who see them', async () => {
      await desk.call(justice, 'POST', '/documents', LETTER);
      await desk.system('khac', 'H35.13', ['consumer']);
      const lock = (document: string | undefined) =>
        desk.call(admin, 'POST', '/systems/khac/lock', { reason: 'x', document });
      const absent = await refused(lock(undefined), 'document_required');
      assert.equal(absent.parts.errors?.[0]?.pointer, '/body/document');
      await refused(lock('khong-co'), 'document_required');
      await lock('h35-14--cv-12');
      const act = desk.acts.at(-1)?.after as any;
      assert.deepEqual(act.document, {
        id: 'h35-14--cv-12',
        number: '12/STP-VP',
        issuedOn: '2025-07-01',
        issuer: 'Sở Tư pháp',
        sha256: null,
      });
    });

    it('are owed by an emergency lock, and supplied once', async () => {
      await desk.system('khac', 'H35.13', ['consumer']);
      const lock = { reason: 'Lộ mã bí mật', emergency: true };
      assert.equal((await desk.call(admin, 'POST', '/systems/khac/lock', lock)).body.state, 'locked');
      await refused(desk.call(admin, 'POST', '/systems/khac/unlock', lock), 'request_invalid');
      const debts = async (state: string) =>
        (await desk.call(admin, 'GET', `/document-debts?state=${state}`)).body.items;
      const [debt] = await debts('open');
      // Friday morning: three working days end with Wednesday.
      assert.equal(debt.dueAt, '2025-08-06T16:59:59.999Z');
      assert.deepEqual(await debts('overdue'), []);
      desk.now = Date.parse('2025-08-06T17:00:00Z');
      assert.equal((await debts('overdue'))[0].state, 'overdue');
      const settle = (document: string) =>
        desk.call(admin, 'POST', `/document-debts/${debt.id}/settle`, { document });
      await refused(settle('khong-co'), 'document_required');
      assert.equal((await settle(PAPER)).body.state, 'settled');
      await refused(settle(PAPER), 'conflict');
      assert.deepEqual(await debts('open'), []);
      assert.equal((await debts('settled')).length, 1);
    });

    it('extend an account past its last day', async () => {
      const credential = { kind: 'secret' };
      const made = {
        id: 'tam',
        agency: 'H35.13',
        name: 'Tạm',
        roles: ['consumer'],
        credential,
        document: PAPER,
      };
      await refused(
        desk.call(admin, 'POST', '/systems', { ...made, validTo: '2025-07-31' }),
        'request_invalid',
      );
      await desk.call(admin, 'POST', '/systems', { ...made, validTo: '2025-08-01' });
      const extend = (validTo: string | null, document: string | undefined = PAPER) =>
        desk.call(admin, 'POST', '/systems/tam/extend', { validTo, document, reason: 'gia hạn' });
      await refused(extend('2025-08-01'), 'request_invalid');
      await refused(extend('2025-07-01'), 'request_invalid');
      await refused(
        desk.call(admin, 'POST', '/systems/tam/extend', { validTo: '2026-01-01', reason: 'x' }),
        'document_required',
      );
      assert.equal((await extend('2026-01-01')).body.validTo, '2026-01-01');
      assert.equal((await extend(null)).body.validTo, null);
      await refused(extend('2027-01-01'), 'request_invalid');
    });
  });

  describe(`attachments on ${engine.name}`, () => {
    let test: TestDatabase;
    let node: TestGateway;
    before(async () => {
      test = await engine.create();
      await addAgency(test.database, 'H35.11');
      await addAgency(test.database, 'H35.12');
      await addSystem(test.database, 'van-hanh', 'H35.11', { roles: ['operator'] });
      await addSystem(test.database, 'khac', 'H35.12', { roles: ['consumer'] });
      node = await startTestGateway(test, { documents: { attachmentBytes: 5_000_000 } });
      const sent = await node.call('van-hanh', '/api/documents', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(LETTER),
      });
      assert.equal(sent.status, 201);
    });
    after(async () => {
      await node.close();
      await test.drop();
    });

    const put = (bytes: Buffer, type = 'application/pdf', client = 'van-hanh') =>
      node.call(client, '/api/documents/h35-14--cv-12/attachment?name=Công văn 12.exe', {
        method: 'PUT',
        headers: { 'content-type': type },
        body: new Uint8Array(bytes),
      });
    const code = async (answer: Response) => ((await answer.json()) as { code?: string }).code;

    for (const [title, bytes, type, expected] of [
      [
        'a page that says it is a PDF',
        Buffer.from('<html><script>'),
        'application/pdf',
        'media_type_unsupported',
      ],
      ['a PDF that says it is a picture', PDF, 'image/png', 'media_type_unsupported'],
      [
        'an archive that is no document',
        Buffer.from('PK\u0003\u0004evil.exe', 'latin1'),
        'application/vnd.oasis.opendocument.text',
        'media_type_unsupported',
      ],
      ['a script', PDF, 'text/html', 'media_type_unsupported'],
      ['nothing', Buffer.alloc(0), 'application/pdf', 'request_invalid'],
      [
        'one byte too many',
        Buffer.concat([PDF, Buffer.alloc(5_000_001 - PDF.length)]),
        'application/pdf',
        'body_too_large',
      ],
    ] as const)
      it(`refuse ${title}`, async () => {
        assert.equal(await code(await put(bytes, type)), expected);
      });

    it('are not put to a document of another agency', async () => {
      assert.equal(await code(await put(PDF, 'application/pdf', 'khac')), 'object_not_found');
    });

    it('come back byte for byte, with their digest in the record', async () => {
      const answer = await put(PDF);
      assert.equal(answer.status, 200);
      const { attachment } = (await answer.json()) as any;
      const sha256 = createHash('sha256').update(PDF).digest('hex');
      assert.deepEqual(attachment, {
        name: 'Công-văn-12.pdf',
        type: 'application/pdf',
        bytes: PDF.length,
        sha256,
      });
      const back = await node.call('van-hanh', '/api/documents/h35-14--cv-12/attachment');
      assert.equal(back.headers.get('content-type'), 'application/pdf');
      assert.match(back.headers.get('content-disposition') ?? '', /^attachment;/);
      assert.deepEqual(Buffer.from(await back.arrayBuffer()), PDF);
      const act = (await allRecords(test.database)).find(
        (one) => one.operation === 'putAttachment' && one.target,
      );
      assert.equal((act?.target?.after as any).attachment.sha256, sha256);
    });

    it('are given once: the same again changes nothing, another file is a conflict', async () => {
      assert.equal((await put(PDF)).status, 200);
      assert.equal(await code(await put(Buffer.concat([PDF, PDF]))), 'conflict');
    });

    it('are not handed out when they were changed on the disk', async () => {
      const root = join(test.dataDir, 'attachments');
      const sha256 = createHash('sha256').update(PDF).digest('hex');
      assert.ok(readdirSync(join(root, sha256.slice(0, 2))).every((name) => /^[0-9a-f]{64}$/.test(name)));
      writeFileSync(join(root, sha256.slice(0, 2), sha256), 'khác');
      const answer = await node.call('van-hanh', '/api/documents/h35-14--cv-12/attachment');
      assert.equal(await code(answer), 'internal_error');
    });
  });
}
