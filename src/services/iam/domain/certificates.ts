import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { RootKey } from '#crypto/root-key.ts';
import type { RootSealedColumn } from '#storage/root-sealed-column.ts';
import { invalidCertificate, keyPairMismatch, malformedCertificate } from '../errors.ts';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;
/** More than this no chain has. */
const MAX_CHAIN = 50;

const UNREADABLE = 'Unable to parse certificate. Please ensure the certificate is in PEM format.';
const UNREADABLE_KEY = 'Unable to parse the private key. Please ensure that it is in PEM format and not encrypted.';
const BROKEN_CHAIN =
  'Unable to validate certificate chain. It must begin with the certificate that has signed this one, followed by each ' +
  'one’s own signer in order.';

/** A server's certificate as it was checked. */
interface CheckedCertificate {
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** One certificate in PEM, and nothing else. @throws ServiceError MalformedCertificate */
export function parseCertificate(pem: string): X509Certificate {
  const found = pem.match(CERTIFICATE) ?? [];
  if (found.length !== 1 || pem.trim() !== found[0]) throw malformedCertificate(UNREADABLE);
  return read(pem);
}

/**
 * Checks that certificate, key and chain belong together, and that the certificate is in force.
 *
 * @param now milliseconds since the epoch
 * @throws ServiceError MalformedCertificate, KeyPairMismatch, InvalidCertificate
 */
export function checkServerCertificate(
  { body, key, chain }: { readonly body: string; readonly key: string; readonly chain: string | undefined },
  now: number,
): CheckedCertificate {
  const certificate = parseCertificate(body);
  if (!certificate.checkPrivateKey(parseKey(key))) {
    throw keyPairMismatch('Private key does not match the certificate.');
  }
  const [from, to] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)];
  if (now < from || now > to) throw invalidCertificate('The certificate is not in its period of validity.');
  if (chain !== undefined) checkChain(certificate, chain);
  return { expiresAt: to };
}

function checkChain(certificate: X509Certificate, chain: string): void {
  const found = chain.match(CERTIFICATE) ?? [];
  if (found.length === 0 || found.length > MAX_CHAIN || chain.replaceAll(CERTIFICATE, '').trim() !== '') {
    throw malformedCertificate(BROKEN_CHAIN);
  }
  let signed = certificate;
  for (const pem of found) {
    const signer = read(pem);
    if (!signed.checkIssued(signer) || !signed.verify(signer.publicKey)) throw malformedCertificate(BROKEN_CHAIN);
    signed = signer;
  }
}

function read(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw malformedCertificate(UNREADABLE);
  }
}

function parseKey(pem: string): KeyObject {
  // Not `cause`: nothing of a key gets into an error.
  try {
    return createPrivateKey({ key: pem, format: 'pem' });
  } catch {
    throw malformedCertificate(UNREADABLE_KEY);
  }
}

/** INVARIANT: no operation opens it again; it is kept for what will serve the certificate. */
export function sealPrivateKey(pem: string, certificateId: string, rootKey: RootKey): Buffer {
  return rootKey.seal(Buffer.from(pem), privateKeyContext(certificateId));
}

function privateKeyContext(certificateId: string): string {
  return `iam/server-certificate/${certificateId}`;
}

export const privateKeyColumn: RootSealedColumn = {
  table: 'iam_server_certificate',
  column: 'sealed',
  contextOf: (row) => privateKeyContext(String(row['id'])),
};
