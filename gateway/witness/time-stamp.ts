import { hash } from 'node:crypto';
import * as asn1 from 'asn1js';
import * as pkijs from 'pkijs';

const SHA256 = '2.16.840.1.101.3.4.2.1';
const TIME_STAMPING = '1.3.6.1.5.5.7.3.8';
const EXTENDED_KEY_USAGE = '2.5.29.37';
const GRANTED = [0, 1];

/** What a time-stamp authority vouches for. */
export interface TimeStamp {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** The token alone, DER: what `openssl ts -verify -token_in` reads. */
  readonly token: Buffer;
}

/** RFC 3161 request over the SHA-256 of the data. @param nonce up to eight bytes, the first of them 1 to 127 */
export function timeStampRequest(data: Buffer, nonce: Buffer): Buffer {
  const request = new pkijs.TimeStampReq({
    version: 1,
    messageImprint: new pkijs.MessageImprint({
      hashAlgorithm: new pkijs.AlgorithmIdentifier({ algorithmId: SHA256, algorithmParams: new asn1.Null() }),
      hashedMessage: new asn1.OctetString({ valueHex: view(hash('sha256', data, 'buffer')) }),
    }),
    nonce: new asn1.Integer({ valueHex: view(nonce) }),
    certReq: true,
  });
  return Buffer.from(request.toSchema().toBER(false));
}

const view = (bytes: Buffer): Uint8Array<ArrayBuffer> => new Uint8Array(bytes);

/** @throws Error when the text holds no certificate */
export function readCertificates(pem: string): pkijs.Certificate[] {
  const found = [...pem.matchAll(/-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----/g)];
  if (found.length === 0) throw new Error('the file holds no PEM certificate');
  return found.map(([, body = '']) => pkijs.Certificate.fromBER(view(Buffer.from(body, 'base64'))));
}

/**
 * Verifies the answer of a time-stamp authority: granted, over these data, with this nonce, by a certificate for time
 * stamping that leads to one of the roots.
 *
 * @throws Error with what does not hold
 */
export async function verifyAnswer(
  answer: Buffer,
  data: Buffer,
  nonce: Buffer,
  roots: readonly pkijs.Certificate[],
): Promise<TimeStamp> {
  const response = pkijs.TimeStampResp.fromBER(view(answer));
  if (!GRANTED.includes(response.status.status) || response.timeStampToken === undefined)
    throw new Error(`the authority refused (status ${response.status.status})`);
  const token = Buffer.from(response.timeStampToken.toSchema().toBER(false));
  const { at, nonce: stamped } = await verifyToken(token, data, roots);
  if (stamped === null || !stamped.equals(nonce)) throw new Error('the answer is to another request');
  return { at, token };
}

/**
 * Verifies a token that was kept.
 *
 * @param chain whether the certificates must be valid `now`, or were when the token was made: evidence outlives them
 * @throws Error with what does not hold
 */
export async function verifyToken(
  token: Buffer,
  data: Buffer,
  roots: readonly pkijs.Certificate[],
  chain: 'now' | 'then' = 'now',
): Promise<{ readonly at: number; readonly nonce: Buffer | null }> {
  const content = pkijs.ContentInfo.fromBER(view(token));
  const signed = new pkijs.SignedData({ schema: content.content });
  const stamped = signed.encapContentInfo.eContent?.valueBlock.valueHexView;
  if (stamped === undefined) throw new Error('the token is empty');
  const info = pkijs.TSTInfo.fromBER(new Uint8Array(stamped));
  const imprint = Buffer.from(info.messageImprint.hashedMessage.valueBlock.valueHexView);
  const isSha256 = info.messageImprint.hashAlgorithm.algorithmId === SHA256;
  if (!isSha256 || !imprint.equals(hash('sha256', data, 'buffer')))
    throw new Error('the token is over other data');
  await verifySigner(signed, data, roots, chain === 'now' ? new Date() : info.genTime);
  const nonce = info.nonce === undefined ? null : Buffer.from(info.nonce.valueBlock.valueHexView);
  return { at: info.genTime.getTime(), nonce };
}

async function verifySigner(
  signed: pkijs.SignedData,
  data: Buffer,
  roots: readonly pkijs.Certificate[],
  checkDate: Date,
): Promise<void> {
  const verified = await signed.verify({
    signer: 0,
    data: view(data).buffer,
    trustedCerts: [...roots],
    checkChain: true,
    checkDate,
    extendedMode: true,
  });
  if (verified.signatureVerified !== true) throw new Error('the signature of the token does not hold');
  const usage = verified.signerCertificate?.extensions?.find(({ extnID }) => extnID === EXTENDED_KEY_USAGE);
  const purposes = (usage?.parsedValue as pkijs.ExtKeyUsage | undefined)?.keyPurposes ?? [];
  if (!purposes.includes(TIME_STAMPING)) throw new Error('the certificate is not one for time stamping');
}
