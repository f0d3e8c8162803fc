import { hash } from 'node:crypto';
import type { Adapter, AdapterPayload } from 'oidc-provider';
import { InvalidClientAuth, InvalidGrant, SessionNotFound } from 'oidc-provider/lib/helpers/errors.js';
import type { Clock } from '../base/clock.js';
import type { Database } from '../store/database.js';
import {
  consumePayload,
  deletePayload,
  deletePayloadsOfGrant,
  findPayload,
  insertPayloadOnce,
  type OidcPayloadRow,
  replacePayload,
  upsertPayload,
} from '../store/oidc-payloads.js';
import { isEndedSession } from '../store/sign-ins.js';
import type { ClientAuthentication } from './client-authentication.js';

interface AdapterParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly authentication: ClientAuthentication;
}

/** What is worth something to whoever reads it. */
const BEARER_MODELS: ReadonlySet<string> = new Set(['AuthorizationCode', 'RefreshToken']);

/** Where oidc-provider keeps its artefacts: one table on either engine; its clients come from the directory. */
export function createAdapterFactory(parts: AdapterParts): (model: string) => Adapter {
  return (model) => {
    if (model === 'Client') return new ClientAdapter(parts.authentication);
    if (model === 'ReplayDetection') return new OnceAdapter(parts, model);
    if (model === 'Session') return new SessionAdapter(parts, model);
    if (model === 'Interaction') return new InteractionAdapter(parts, model);
    return BEARER_MODELS.has(model) ? new DigestAdapter(parts, model) : new TableAdapter(parts, model);
  };
}

class TableAdapter implements Adapter {
  protected readonly parts: AdapterParts;
  protected readonly model: string;

  constructor(parts: AdapterParts, model: string) {
    this.parts = parts;
    this.model = model;
  }

  async upsert(id: string, payload: AdapterPayload, expiresIn?: number): Promise<void> {
    await upsertPayload(this.parts.database.knex, this.row(id, payload, expiresIn));
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    return await this.#find({ id });
  }

  async findByUserCode(userCode: string): Promise<AdapterPayload | undefined> {
    return await this.#find({ user_code: userCode });
  }

  async findByUid(uid: string): Promise<AdapterPayload | undefined> {
    return await this.#find({ uid });
  }

  async consume(id: string): Promise<void> {
    const { database, clock } = this.parts;
    const first = await consumePayload(database.knex, this.model, id, clock.now());
    // oidc-provider looked before: here are those that looked at the same moment.
    if (!first) throw new InvalidGrant('already used');
  }

  async destroy(id: string): Promise<void> {
    await deletePayload(this.parts.database.knex, this.model, id);
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    await deletePayloadsOfGrant(this.parts.database.knex, this.model, grantId);
  }

  protected row(id: string, payload: AdapterPayload, expiresIn: number | undefined): OidcPayloadRow {
    return {
      model: this.model,
      id,
      payload: JSON.stringify(payload),
      grant_id: payload.grantId ?? null,
      uid: payload.uid ?? null,
      user_code: payload.userCode ?? null,
      account_id: accountOfResult(payload) ?? payload.accountId ?? null,
      expires_at: expiresIn === undefined ? null : this.parts.clock.now() + expiresIn * 1000,
      consumed_at: null,
    };
  }

  async #find(key: { id?: string; uid?: string; user_code?: string }): Promise<AdapterPayload | undefined> {
    const { database, clock } = this.parts;
    const row = await findPayload(database.knex, this.model, key, clock.now());
    if (row === undefined) return undefined;
    const payload = JSON.parse(row.payload) as AdapterPayload;
    return row.consumed_at === null ? payload : { ...payload, consumed: Math.floor(row.consumed_at / 1000) };
  }
}

/** For codes and refresh tokens: who reads the table must not be able to use one, so their digests are kept. */
class DigestAdapter extends TableAdapter {
  override async upsert(id: string, payload: AdapterPayload, expiresIn?: number): Promise<void> {
    const { jti: _secret, ...rest } = payload;
    await super.upsert(digest(id), rest, expiresIn);
  }

  override async find(id: string): Promise<AdapterPayload | undefined> {
    const payload = await super.find(digest(id));
    return payload === undefined ? undefined : { ...payload, jti: id };
  }

  override async consume(id: string): Promise<void> {
    await super.consume(digest(id));
  }

  override async destroy(id: string): Promise<void> {
    await super.destroy(digest(id));
  }
}

/** Who has signed in, in an attempt that the browser has not gone on with yet. */
function accountOfResult({ result }: AdapterPayload): string | undefined {
  return (result as { login?: { accountId?: string } } | undefined)?.login?.accountId;
}

/** A session that was ended stays so, even if a request that had read it before writes it once more. */
class SessionAdapter extends TableAdapter {
  override async upsert(id: string, payload: AdapterPayload, expiresIn?: number): Promise<void> {
    if (await this.#live(payload)) await super.upsert(id, payload, expiresIn);
  }

  override async find(id: string): Promise<AdapterPayload | undefined> {
    return await this.#living(await super.find(id));
  }

  override async findByUid(uid: string): Promise<AdapterPayload | undefined> {
    return await this.#living(await super.findByUid(uid));
  }

  async #live({ uid }: AdapterPayload): Promise<boolean> {
    return uid === undefined || !(await isEndedSession(this.parts.database.knex, uid));
  }

  async #living(found: AdapterPayload | undefined): Promise<AdapterPayload | undefined> {
    return found !== undefined && (await this.#live(found)) ? found : undefined;
  }
}

/** An attempt that was ended is neither finished nor gone on with, even by a request that had read it before. */
class InteractionAdapter extends TableAdapter {
  override async upsert(id: string, payload: AdapterPayload, expiresIn?: number): Promise<void> {
    if (payload.result === undefined) await super.upsert(id, payload, expiresIn);
    else if (!(await replacePayload(this.parts.database.knex, this.row(id, payload, expiresIn))))
      throw ended();
  }

  override async destroy(id: string): Promise<void> {
    if (!(await deletePayload(this.parts.database.knex, this.model, id))) throw ended();
  }
}

const ended = (): Error => new SessionNotFound('the sign-in was ended');

const digest = (id: string): string => hash('sha256', id, 'base64url');

/**
 * For assertions that may be used once. oidc-provider looks first and writes afterwards, which two requests at the
 * same moment would both survive; here the insert alone decides, so the look is spared.
 */
class OnceAdapter extends TableAdapter {
  override find(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  override async upsert(id: string, payload: AdapterPayload, expiresIn?: number): Promise<void> {
    const { database, clock } = this.parts;
    const first = await insertPayloadOnce(database.knex, this.row(id, payload, expiresIn), clock.now());
    if (!first) throw new InvalidClientAuth('assertions and DPoP proofs must only be used once');
  }
}

class ClientAdapter implements Adapter {
  readonly #authentication: ClientAuthentication;

  constructor(authentication: ClientAuthentication) {
    this.#authentication = authentication;
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    return await this.#authentication.metadata(id);
  }

  // Clients are registered through the management API alone.
  upsert = refuse;
  findByUserCode = refuse;
  findByUid = refuse;
  consume = refuse;
  destroy = refuse;
  revokeByGrantId = refuse;
}

function refuse(): Promise<never> {
  return Promise.reject(new Error('the authorization server does not register clients'));
}
