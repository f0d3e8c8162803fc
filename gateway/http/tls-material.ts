import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { type Config, ConfigError } from '../base/config.js';
import type { TlsMaterial } from './server.js';

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new ConfigError(`tls: ${file} cannot be read`, { cause: error });
  }
}

/**
 * What the settings name, read and tried once; null without `tls`.
 *
 * @throws ConfigError for files that cannot be read or do not go together
 */
export function tlsMaterial({ tls }: Pick<Config, 'tls'>): TlsMaterial | null {
  if (tls === undefined) return null;
  const { certFile, keyFile, clientCaFile } = tls;
  const ca = clientCaFile === undefined ? {} : { ca: read(clientCaFile) };
  const material = { cert: read(certFile), key: read(keyFile), ...ca };
  try {
    createSecureContext(material);
  } catch (error) {
    throw new ConfigError('tls: certFile and keyFile are not a certificate and its key', { cause: error });
  }
  return material;
}
