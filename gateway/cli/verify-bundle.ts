import { accessSync, constants } from 'node:fs';
import { BundleFault, type BundleFaultKind } from '../audit/evidence/fault.js';
import { oneLine, tallyLines } from '../audit/evidence/tally.js';
import { type SeenHead, type VerifiedBundle, verifyBundle } from '../audit/evidence/verify.js';
import { CommandFailure } from './failure.js';
import { type Io, json } from './io.js';
import { trustedKeys } from './trusted-keys.js';
import { trustedWitnesses } from './witness-trust.js';

export interface BundleFlags {
  readonly bundle: string;
  readonly key: readonly string[];
  /** `name=vkey` or `name=file.pem`: what is trusted of witnesses. */
  readonly witness: readonly string[];
  readonly json?: boolean;
}

const FAULTS: Readonly<Record<BundleFaultKind, string>> = {
  malformed: 'tệp không phải là gói bằng chứng / this is no evidence bundle',
  digest: 'tệp trong gói đã bị thay đổi / a file of the bundle was changed',
  signature: 'điểm kiểm tra không do khóa tin cậy ký / no trusted key signed the checkpoint',
  count: 'số bản ghi khác với bản kê / other than the number of records that was listed',
  order: 'bản ghi không theo thứ tự của nhật ký / records are out of order',
  record: 'bản ghi không đúng với nhật ký đã ký / a record is not the one in the log that was signed',
  proof: 'chứng minh không phải của các bản ghi này / the proof is not one of these records',
  witness: 'bằng chứng của bên chứng kiến thuộc nhật ký khác / a witness saw another log',
  evidence:
    'xác nhận của bên chứng kiến không đúng khóa hoặc thuộc đầu nhật ký khác / what a witness gave is not by its key, or over another head',
};

function witnessLine({ name, size, witnessedAt }: SeenHead): string {
  const proved =
    witnessedAt === null
      ? 'chưa kiểm chứng xác nhận / its evidence was not verified (--witness)'
      : `xác nhận đúng, lúc / evidence holds, of ${new Date(witnessedAt).toISOString()}`;
  return `Bên chứng kiến / witness: ${name}, ${size}; ${proved}`;
}

function told({ manifest, checkpoint, tally, witnesses }: VerifiedBundle): string {
  const { maker, made, cut } = manifest;
  return [
    ...tallyLines(tally),
    '',
    `Người trích xuất theo gói / made by, as it says: ${oneLine(`${maker.name}, ${maker.agency}, ${made}`)}`,
    ...(cut ? ['Còn bản ghi ngoài giới hạn của một lần trích xuất / more records met the filters'] : []),
    ...witnesses.map(witnessLine),
    `Mọi bản ghi có trong nhật ký / every record is in the log: ${checkpoint.origin}, ${checkpoint.size}`,
  ].join('\n');
}

const witnessFacts = ({ witnessedAt, ...head }: SeenHead): object => ({
  ...head,
  witnessedAt: witnessedAt === null ? null : new Date(witnessedAt).toISOString(),
});

function facts({ manifest, checkpoint, tally, witnesses }: VerifiedBundle): object {
  const { made, maker, scope, filters, cut } = manifest;
  const { origin, size, root } = checkpoint;
  return {
    ...{ ok: true, records: tally.count, ...tally.span, origin, size, root: root.toString('base64') },
    ...{ witnesses: witnesses.map(witnessFacts), claimed: { made, maker, scope, filters, cut } },
  };
}

/**
 * Verifies an evidence bundle with nothing but the file and the keys it is given: no database, no network.
 *
 * @throws CommandFailure 1 when it does not hold, 2 when asked wrongly
 */
export async function checkBundle(io: Io, flags: BundleFlags): Promise<void> {
  const { bundle, key, json: programs } = flags;
  const trusted = trustedKeys(key);
  const witnesses = trustedWitnesses(flags.witness);
  try {
    accessSync(bundle, constants.R_OK);
  } catch {
    throw new CommandFailure(`cannot read ${bundle}`, 2);
  }
  try {
    const verified = await verifyBundle(bundle, trusted, witnesses.prove);
    witnesses.assertAllProved();
    io.out(programs === true ? json(facts(verified)) : told(verified));
  } catch (error) {
    if (!(error instanceof BundleFault)) throw error;
    const { fault, index, message } = error;
    const at = index === undefined ? {} : { index };
    if (programs === true) io.out(json({ ok: false, fault, ...at, detail: message }));
    const where = index === undefined ? '' : ` (bản ghi / record ${index})`;
    throw new CommandFailure(`${FAULTS[fault]}${where}: ${message}`);
  }
}
