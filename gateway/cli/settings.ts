import { existsSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { type Config, ConfigError, loadConfig } from '../base/config.js';
import { CommandFailure } from './failure.js';
import type { Io } from './io.js';

/** Variables of the command line itself, which the gateway's own settings do not know. */
const OWN_VARIABLES: readonly string[] = ['LGSP_URL', 'LGSP_CLIENT_ID', 'LGSP_CLIENT_SECRET'];

function readFile(path: string): unknown {
  if (!existsSync(path)) throw new CommandFailure(`there is no file ${path}`, 2);
  try {
    return parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new CommandFailure(`${path} is neither YAML nor JSON: ${(error as Error).message}`, 2);
  }
}

/** The settings of a node, from a file (YAML or JSON) and the environment. */
export function loadSettings(file: string | undefined, env: Io['env']): Config {
  const own = Object.fromEntries(Object.entries(env).filter(([name]) => !OWN_VARIABLES.includes(name)));
  try {
    return loadConfig(file === undefined ? {} : readFile(file), own);
  } catch (error) {
    if (error instanceof ConfigError) throw new CommandFailure(error.message, 2);
    throw error;
  }
}
