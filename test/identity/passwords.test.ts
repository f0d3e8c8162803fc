import assert from 'node:assert/strict';
import {
  hashPassword,
  isPassword,
  passwordFaults,
  temporaryPassword,
  wasPassword,
} from '../../gateway/identity/passwords.js';
import { codeStep, codeUri, newCodeSecret } from '../../gateway/identity/one-time-code.js';
import { oneTimeCode } from '../kit/sign-in.js';

const OWNER = { id: 'le.van.mau', name: 'Lê Văn Mẫu', email: 'mau.lv@laichau.example' };
const faults = (plain: string) => passwordFaults(plain, OWNER, { minLength: 12 }).map(({ en }) => en);

describe('passwords', () => {
  const cases: readonly [string, readonly RegExp[]][] = [
    ['mười hai chữ', []],
    ['mười một ch', [/at least 12/]],
    ['abababababab', [/too few different/]],
    ['abcdefghijkl', [/too common/]],
    ['0987654321098', [/too common/]],
    ['Mật khẩu 2026!', [/too common/]],
    ['tinhlaichau2026', [/too common/]],
    ['toi la Lê Văn Mẫu', [/name of its owner/]],
    ['levanmau-la-toi', [/name of its owner/]],
    ['mau.lv@cơ quan nhà', [/name of its owner/]],
    ['a'.repeat(64) + 'bcdefghijk'.repeat(7), [/longer than 128/]],
    ['correct horse battery', []],
  ];
  for (const [plain, expected] of cases)
    it(`${expected.length === 0 ? 'take' : 'refuse'} ${plain.slice(0, 24)}`, () => {
      const found = faults(plain);
      assert.equal(found.length, expected.length, found.join('; '));
      expected.forEach((pattern, i) => assert.match(found[i] ?? '', pattern));
    });

  it('are the same however the same text is typed', async () => {
    const stored = await hashPassword('mật khẩu của tôi'.normalize('NFC'));
    assert.match(stored, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    assert.ok(await isPassword(stored, 'mật khẩu của tôi'.normalize('NFD')));
    assert.ok(!(await isPassword(stored, 'Mật khẩu của tôi')));
    assert.ok(!(await isPassword(null, '')), 'nobody has none');
    assert.ok(!(await isPassword(stored, 'x'.repeat(1_000_000))));
  });

  it('are known again', async () => {
    const [a, b] = [await hashPassword('thứ nhất đây nhé'), await hashPassword('thứ hai đây nhé')];
    assert.ok(await wasPassword([a, b], 'thứ hai đây nhé'));
    assert.ok(!(await wasPassword([a, b], 'thứ ba đây nhé')));
  });

  it('for one use are never the same, and pass the policy', () => {
    const made = new Set(Array.from({ length: 200 }, temporaryPassword));
    assert.equal(made.size, 200);
    for (const one of made) {
      assert.match(one, /^[a-hjkmnp-z2-9]{4}(-[a-hjkmnp-z2-9]{4}){3}$/);
    }
  });
});

describe('one-time codes', () => {
  const at = Date.parse('2026-03-02T02:00:00Z');

  it('agree with the vectors of RFC 6238 in their last six digits', () => {
    const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
    for (const [seconds, code] of [
      [59, '287082'],
      [1111111109, '081804'],
      [1234567890, '005924'],
      [2000000000, '279037'],
    ] as const)
      assert.equal(codeStep(secret, code, seconds * 1000), Math.floor(seconds / 30));
  });

  it('work one step early and late, and no further', () => {
    const secret = newCodeSecret();
    const step = Math.floor(at / 30_000);
    for (const [away, found] of [
      [-2, null],
      [-1, step - 1],
      [0, step],
      [1, step + 1],
      [2, null],
    ] as const)
      assert.equal(codeStep(secret, oneTimeCode(secret, at + away * 30_000), at), found);
  });

  it('may be typed in groups, and are nothing else than six digits', () => {
    const secret = newCodeSecret();
    const code = oneTimeCode(secret, at);
    assert.notEqual(codeStep(secret, ` ${code.slice(0, 3)} ${code.slice(3)} `, at), null);
    for (const wrong of ['', '12345', `${code}0`, 'abcdef', '١٢٣٤٥٦'])
      assert.equal(codeStep(secret, wrong, at), null);
  });

  it('name the installation and the account in their picture', () => {
    const uri = new URL(codeUri('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', 'le.van.mau', 'H35'));
    assert.equal(uri.searchParams.get('issuer'), 'LGSP H35');
    assert.match(decodeURIComponent(uri.pathname), /LGSP H35:le\.van\.mau/);
  });
});
