import type {
  Account as OidcAccount,
  Configuration,
  interactionPolicy,
  KoaContextWithOIDC,
} from 'oidc-provider';
import { base, Check } from 'oidc-provider/lib/helpers/interaction_policy/index.js';
import type { Config } from '../base/config.js';
import { type Clock, seconds } from '../base/clock.js';
import type { PersonDirectory } from './person-directory.js';
import { resourcesOf } from './resources.js';
import type { SignInPages } from './sign-in.js';

export interface PeopleFlowParts {
  readonly config: Config;
  readonly clock: Clock;
  readonly people: PersonDirectory;
  /** The pages of ours that oidc-provider shows when somebody signs out. */
  readonly pages: SignInPages;
}

const HOUR_SECONDS = 3600;
const INTERACTION_SECONDS = 900;

/** Where the pages of one sign-in are, below the issuer's origin. */
export const signInPath = (uid: string): string => `/oidc/sign-in/${uid}`;

/** Clocks of nodes differ a little. */
const SKEW_SECONDS = 60;

/** Whether what began then has lasted its time, or begins later than now: a clock set back lengthens nothing. */
function isOutOfTime({ clock, config }: PeopleFlowParts, began: number): boolean {
  const age = seconds(clock) - began;
  return age > config.people.sessionHours * HOUR_SECONDS || age < -SKEW_SECONDS;
}

/** Nothing is given to somebody who may not act now, whatever cookie they hold. */
function policy(parts: PeopleFlowParts): interactionPolicy.DefaultPolicy {
  const { people } = parts;
  const prompts = base();
  const login = prompts.get('login');
  login?.checks.add(
    new Check('not_in_force', 'the account is not in force', ({ oidc }: KoaContextWithOIDC) => {
      const id = oidc.session?.accountId;
      return id !== undefined && people.find(id)?.inForce !== true;
    }),
  );
  login?.checks.add(
    new Check('too_old', 'the session has lasted its time', ({ oidc }: KoaContextWithOIDC) => {
      const { session, result } = oidc;
      if (session?.accountId === undefined || result?.login !== undefined) return false;
      return isOutOfTime(parts, session.loginTs ?? 0);
    }),
  );
  // The applications are the installation's own: there is nothing to consent to.
  prompts.remove('consent');
  return prompts;
}

async function ownGrant(ctx: KoaContextWithOIDC, config: Config) {
  const { client, session, provider } = ctx.oidc;
  if (client === undefined || session?.accountId === undefined) return undefined;
  const id = session.grantIdFor(client.clientId);
  const known = id === undefined ? undefined : await provider.Grant.find(id);
  if (known !== undefined && known.accountId === session.accountId) return known;
  const grant = new provider.Grant({ accountId: session.accountId, clientId: client.clientId });
  grant.addOIDCScope('openid');
  grant.addResourceScope(resourcesOf(config.publicUrl).api, '');
  await grant.save();
  return grant;
}

/** How people sign in: authorization code with PKCE, our own pages, refresh tokens that live with the session. */
export function peopleFlow(parts: PeopleFlowParts): Configuration {
  const { config, people, clock } = parts;
  const longest = config.people.sessionHours * HOUR_SECONDS;
  const idle = config.people.idleMinutes * 60;
  return {
    claims: { openid: ['sub', 'name', 'agency'] },
    conformIdTokenClaims: false,
    expiresWithSession: () => true,
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: true,
    findAccount: (_ctx, id, token): OidcAccount | undefined => {
      const person = people.find(id);
      if (person?.inForce !== true) return undefined;
      const began = (token as { authTime?: number } | undefined)?.authTime;
      if (began !== undefined && isOutOfTime(parts, began)) return undefined;
      return { accountId: id, claims: () => ({ sub: id, name: person.name, agency: person.agency }) };
    },
    interactions: { policy: policy(parts), url: (_ctx, { uid }) => signInPath(uid) },
    loadExistingGrant: (ctx) => ownGrant(ctx, config),
    pkce: { required: () => true },
    responseTypes: ['code'],
    scopes: ['openid'],
    ttl: {
      AuthorizationCode: 60,
      Grant: longest,
      IdToken: config.tokens.ttlSeconds,
      Interaction: INTERACTION_SECONDS,
      Session: longest,
      RefreshToken(_ctx, token) {
        const { authTime = seconds(clock) } = token as { authTime?: number };
        return Math.max(1, Math.min(idle, authTime + longest - seconds(clock)));
      },
    },
  };
}

/** What the reader asked for, as far as the request says. */
export const languageOf = (ctx: KoaContextWithOIDC): string | undefined => {
  const asked = ctx.query['ui_locales'] ?? ctx.query['lang'];
  return typeof asked === 'string' ? asked : undefined;
};

/** OpenID Connect RP-Initiated Logout: one question, one page after it. */
export function signOut({ pages }: PeopleFlowParts) {
  return {
    enabled: true,
    logoutSource(ctx: KoaContextWithOIDC, form: string) {
      ctx.type = 'html';
      ctx.body = pages.confirmSignOut(form, languageOf(ctx));
    },
    postLogoutSuccessSource(ctx: KoaContextWithOIDC) {
      ctx.type = 'html';
      ctx.body = pages.signedOut(languageOf(ctx));
    },
  };
}
