import type { ManagementApi } from '../../gateway/cli/api.js';
import type { MadeCredential } from '../../gateway/cli/apply.js';
import { firstSignIn, type SignedIn } from './first-sign-in.js';
import { samplePeople } from './read-yaml.js';

export interface SampleUser extends SignedIn {
  readonly username: string;
  readonly role: string;
  readonly agency: string;
}

const GROUND = { reason: 'Tỉnh mẫu chưa đăng nhập xong lần đầu', document: 'cap-tai-khoan-2025' };

/** What a start that was broken off has half done is done anew. */
async function temporaryAgain(api: ManagementApi, id: string): Promise<string> {
  await api.request('POST', `/people/${id}/second-factor-reset`, GROUND);
  const { body } = await api.request('POST', `/people/${id}/password-reset`, GROUND);
  return (body as { temporaryPassword: string }).temporaryPassword;
}

/**
 * Signs in for the first time whoever has not yet, so that each has a password of their own and, where their role
 * needs it, one-time codes.
 */
export async function signInSampleUsers(
  parts: {
    readonly url: string;
    readonly api: ManagementApi;
    readonly credentials: readonly MadeCredential[];
  },
  known: readonly SampleUser[],
  keep: (user: SampleUser) => void,
): Promise<void> {
  const { url, api, credentials } = parts;
  for (const { id, agency, roles, state = 'active' } of samplePeople()) {
    if (state !== 'active' || known.some(({ username }) => username === id)) continue;
    const made = credentials.find((one) => one.auth === 'password' && one.id === id);
    const temporary = made?.auth === 'password' ? made.password : await temporaryAgain(api, id);
    const signedIn = await firstSignIn(url, id, temporary).catch(async () =>
      firstSignIn(url, id, await temporaryAgain(api, id)),
    );
    keep({ username: id, role: roles[0] ?? '', agency, ...signedIn });
  }
}
