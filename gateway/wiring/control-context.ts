import { createHmac } from 'node:crypto';
import { join } from 'node:path';
import { checkConnector } from '../../connectors/registry.js';
import { archiveFolder } from '../audit/archive/folder.js';
import type { RecordReader } from '../audit/search/reader.js';
import type { Clock } from '../base/clock.js';
import type { Config } from '../base/config.js';
import type { Catalogue } from '../catalogue/catalogue.js';
import { checkService } from '../catalogue/check.js';
import type { ControlContext } from '../control/handler.js';
import { signInClients } from '../identity/sign-in-clients.js';
import type { SubjectDigests } from '../identity/subject-digests.js';
import { mailSettings } from '../outbox/mail-settings.js';
import { CHANNEL_SEAL } from '../outbox/outbox.js';
import { mayCall } from '../outbox/webhook.js';
import { openAttachments } from '../store/attachments.js';
import { postNotice } from '../store/notices.js';
import { passwordKeeper } from './password-keeper.js';
import { credentialLabel, probe, type SourceParts } from './sources.js';

export interface ControlParts extends SourceParts {
  readonly clock: Clock;
  readonly catalogue: Catalogue;
  readonly config: Config;
  readonly records: RecordReader;
  readonly subjects: SubjectDigests;
}

/** What the rooms of the control plane reach, and nothing else. */
export function controlContext(parts: ControlParts): ControlContext {
  const { database, clock, config, sealing, egress, catalogue, records, subjects } = parts;
  const termKey = sealing.derive('record-search/terms');
  return {
    database,
    clock,
    config,
    archiveFolder: archiveFolder(config),
    attachments: openAttachments(config.documents.attachmentsDir ?? join(config.dataDir, 'attachments')),
    passwords: passwordKeeper(parts),
    reservedNames: new Set(signInClients(config).keys()),
    seal: (service, name, plain) => sealing.seal('credential', credentialLabel(service, name), plain),
    subjects,
    refresh: () => catalogue.refresh(),
    records,
    digestTerm: (text) => createHmac('sha256', termKey).update(text).digest('base64url'),
    published: (id) => catalogue.service(id),
    probe: (id) => probe(catalogue, id),
    fourEyes: config.fourEyes,
    postNotice,
    channels: {
      seal: (id, plain) => sealing.seal(CHANNEL_SEAL, id, plain),
      mayCall: (url) => mayCall(egress, url),
      mail: mailSettings(config.smtp) !== null,
    },
    checkService: (manifest, document, credentialNames) =>
      checkService({
        manifest,
        document,
        checkConnector: ({ connector, operations, success }, facts) =>
          checkConnector({ ...connector, operations, success, facts }, { egress, credentialNames }),
      }),
  };
}
