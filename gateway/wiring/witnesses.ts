import { readFileSync } from 'node:fs';
import type { Egress } from '../../connectors/egress.js';
import type { Clock } from '../base/clock.js';
import { type Config, ConfigError } from '../base/config.js';
import type { Logger } from '../base/log.js';
import { consistencyProof } from '../audit/proofs.js';
import { storedTree } from '../audit/stored-tree.js';
import type { Database } from '../store/database.js';
import { folderWitness } from '../witness/folder.js';
import { httpWitness } from '../witness/http.js';
import { tsaWitness } from '../witness/tsa.js';
import type { Witness } from '../witness/witness.js';
import { startWitnessing, type Witnessing } from '../witness/witnessing.js';

type Setting = Config['witnesses']['to'][number];

export interface WitnessParts {
  readonly config: Config;
  readonly database: Database;
  readonly egress: Egress;
  readonly clock: Clock;
  readonly log: Logger;
}

function witnessOf(setting: Setting, { egress, database }: WitnessParts): Witness {
  switch (setting.kind) {
    case 'folder':
      return folderWitness(setting.name, setting.path);
    case 'http':
      return httpWitness({
        ...setting,
        egress,
        prove: (from, to) => consistencyProof(storedTree(database), from, to),
      });
    case 'tsa':
      return tsaWitness({ ...setting, roots: readFileSync(setting.caFile, 'utf8'), egress });
  }
}

/** @throws ConfigError for a verifier key or a certificate that cannot be read */
export function openWitnesses(parts: WitnessParts): Witnessing {
  const { config, database, clock, log } = parts;
  const { everySeconds, alarmAfterSeconds, to } = config.witnesses;
  const witnesses = to.map((setting, i) => {
    try {
      return witnessOf(setting, parts);
    } catch (error) {
      throw new ConfigError(
        `witnesses.to.${i}: ${error instanceof Error ? error.message : 'cannot be used'}`,
      );
    }
  });
  const everyMs = everySeconds * 1000;
  return startWitnessing({
    witnesses,
    database,
    clock,
    log,
    everyMs,
    alarmAfterMs: alarmAfterSeconds * 1000,
    agency: config.platform.agencyCode,
    lookMs: Math.min(everyMs, 5000),
  });
}
