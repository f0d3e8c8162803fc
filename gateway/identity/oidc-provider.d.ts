/**
 * The package's entry point does two things: it warns on every Node below 22, although all that we use runs and is
 * tested on 20, and it re-exports these modules. We import them directly; their types are those of the entry point.
 */
declare module 'oidc-provider/lib/provider.js' {
  import { type KoaContextWithOIDC, Provider as Base } from 'oidc-provider';

  export class Provider extends Base {
    /** The request that is being answered, wherever in its call tree the question is asked. */
    static readonly ctx: KoaContextWithOIDC | undefined;
  }
}

declare module 'oidc-provider/lib/helpers/errors.js' {
  import { errors } from 'oidc-provider';

  export const InvalidClientAuth: typeof errors.InvalidClientAuth;
  export const InvalidGrant: typeof errors.InvalidGrant;
  export const InvalidTarget: typeof errors.InvalidTarget;
  export const SessionNotFound: typeof errors.SessionNotFound;
  export const UnauthorizedClient: typeof errors.UnauthorizedClient;
}

declare module 'oidc-provider/lib/helpers/als.js' {
  import type { AsyncLocalStorage } from 'node:async_hooks';

  const storage: AsyncLocalStorage<unknown>;
  export default storage;
}

declare module 'oidc-provider/lib/helpers/interaction_policy/index.js' {
  import { interactionPolicy } from 'oidc-provider';

  export const base: typeof interactionPolicy.base;
  export const Check: typeof interactionPolicy.Check;
}
