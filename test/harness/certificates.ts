import { createPrivateKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

/** In PEM. */
export interface IssuedCertificate {
  readonly name: string;
  readonly certificate: string;
  readonly key: string;
}

const DAY = 86_400_000;
/** ecdsa-with-SHA256 */
const ALGORITHM = Buffer.from('300a06082a8648ce3d040302', 'hex');
const COMMON_NAME = Buffer.from('0603550403', 'hex');

/**
 * A certificate for `name`, signed by `issuer`, or by itself (RFC 5280, version 1).
 * @param kind of its own key; one of RSA has an issuer
 * @param days for which it is in force from yesterday on; negative: how long ago that ended
 */
export function issueCertificate(
  name: string,
  issuer?: IssuedCertificate,
  days = 30,
  kind: 'ec' | 'rsa' = 'ec',
): IssuedCertificate {
  const { publicKey, privateKey } =
    kind === 'ec'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 });
  const from = Date.now() - DAY + Math.min(0, days - 30) * DAY;
  const facts = Buffer.concat([
    der(0x02, Buffer.concat([Buffer.of(1), randomBytes(8)])),
    ALGORITHM,
    nameOf(issuer?.name ?? name),
    der(0x30, Buffer.concat([timeOf(from), timeOf(Date.now() + days * DAY)])),
    nameOf(name),
    publicKey.export({ type: 'spki', format: 'der' }),
  ]);
  const signed = der(0x30, facts);
  const signature = sign('sha256', signed, issuer === undefined ? privateKey : createPrivateKey(issuer.key));
  const bits = der(0x03, Buffer.concat([Buffer.of(0), signature]));
  const base64 = der(0x30, Buffer.concat([signed, ALGORITHM, bits])).toString('base64');
  const lines = base64.match(/.{1,64}/g)?.join('\n') ?? '';
  return {
    name,
    certificate: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function nameOf(name: string): Buffer {
  const pair = der(0x30, Buffer.concat([COMMON_NAME, der(0x0c, Buffer.from(name))]));
  return der(0x30, der(0x31, pair));
}

function timeOf(time: number): Buffer {
  return der(0x17, Buffer.from(`${new Date(time).toISOString().slice(2, 19).replaceAll(/[-:T]/g, '')}Z`));
}

function der(tag: number, content: Uint8Array): Buffer {
  const { length } = content;
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...head), content]);
}
