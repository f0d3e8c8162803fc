import type { ConnectorAnswer } from '../../connectors/connector.js';
import { Exchange } from '../base/exchange.js';
import type { AgencyEntry, PersonEntry, SystemEntry } from '../catalogue/catalogue.js';
import type { Operation, ValidRequest } from '../catalogue/contract.js';
import type { GrantEntry } from '../catalogue/grant-entry.js';
import type { PublishedService } from '../catalogue/published-service.js';
import type { ControlHandler } from '../control/handler.js';

/** A call of a published data service. */
export class DataExchange extends Exchange {
  service: PublishedService | null = null;
  operation: Operation | null = null;
  /** Path parameters as sent, still encoded. */
  params: Readonly<Record<string, string>> = {};
  system: SystemEntry | null = null;
  agency: AgencyEntry | null = null;
  /** What allows the call; null where a default service is open to every account. */
  grant: GrantEntry | null = null;
  valid: ValidRequest | null = null;
  source: ConnectorAnswer | null = null;
}

/** A call of a published data service that its document answers. Whatever leaves is marked, refusals too. */
export class SandboxExchange extends DataExchange {
  override readonly extraHeaders: Record<string, string> = { 'Lgsp-Sandbox': '?1' };
}

/** A call of the management API. */
export class AdminExchange extends Exchange {
  /** Who signed in; null where a system calls in its own name. */
  person: PersonEntry | null = null;
  operation: Operation | null = null;
  params: Readonly<Record<string, string>> = {};
  roles: readonly string[] = [];
  handler: ControlHandler | null = null;
  /** Whether the operation's body is a file, which may be larger than a message. */
  takesFile = false;
  system: SystemEntry | null = null;
  agency: AgencyEntry | null = null;
  valid: ValidRequest | null = null;
}

/** A public document: the portal, discovery, an explained refusal. */
export class OpenExchange extends Exchange {
  render: (() => OpenDocument | Promise<OpenDocument>) | null = null;
}

export interface OpenDocument {
  readonly status: number;
  readonly contentType: string;
  readonly body: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}
