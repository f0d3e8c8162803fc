import type { ManagementApi } from './api.js';
import { all, present, yaml } from './export-reading.js';

interface Channel {
  readonly id: string;
  readonly agency: string;
  readonly kind: string;
  readonly target: string;
  readonly kinds: readonly string[] | null;
  readonly active: boolean;
}

/** The variable from which `lgsp apply` takes the secret of a webhook. @example 'CHANNEL_VAN_THU_SECRET' */
function variableOf(id: string): string {
  return `CHANNEL_${id.toUpperCase().replace(/[^A-Z0-9]+/g, '_')}_SECRET`;
}

function entry({ id, agency, kind, target, kinds, active }: Channel) {
  const secret = kind === 'webhook' ? { env: variableOf(id) } : null;
  return present({ id, agency, kind, target, kinds, active: active ? null : false, secret });
}

/** Channels of notices; of a webhook's secret the name of a variable. */
export async function channelFiles(api: ManagementApi): Promise<Record<string, string>> {
  const channels = await all<Channel>(api, '/channels');
  return channels.length === 0 ? {} : { 'channels.yaml': yaml(channels.map(entry)) };
}
