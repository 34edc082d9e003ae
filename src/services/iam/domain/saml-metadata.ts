import { X509Certificate } from 'node:crypto';
import { parseXml, type XmlElement, XmlError } from '#kernel/xml-document.ts';

/** More than that no provider needs; parsing is bounded by it. */
const MAX_LENGTH = 1_000_000;
const MAX_CERTIFICATES = 10;
const MIN_RSA_BITS = 2048;

/** What STS needs of a provider's metadata document. */
export interface SamlMetadata {
  /** The issuer of its assertions. */
  readonly entityId: string;
  /** Public keys in PEM, by which it signs. */
  readonly signingKeys: readonly string[];
  /** Milliseconds since the epoch; `undefined` where it does not say. */
  readonly validUntil: number | undefined;
}

/** @returns `undefined` for what is no metadata of an identity provider that signs with RSA */
export function readSamlMetadata(document: string): SamlMetadata | undefined {
  if (document.length > MAX_LENGTH) return undefined;
  let root: XmlElement;
  try {
    root = parseXml(Buffer.from(document));
  } catch (error) {
    if (error instanceof XmlError) return undefined;
    throw error;
  }
  const entityId = root.attributes.get('entityID');
  if (root.name !== 'EntityDescriptor' || entityId === undefined || entityId === '') return undefined;
  const descriptors = root.children.filter(({ name }) => name === 'IDPSSODescriptor');
  const certificates = descriptors
    .flatMap(({ children }) => children)
    .filter(({ name, attributes }) => name === 'KeyDescriptor' && (attributes.get('use') ?? 'signing') === 'signing')
    .flatMap((descriptor) => certificatesIn(descriptor));
  if (certificates.length === 0 || certificates.length > MAX_CERTIFICATES) return undefined;
  const signingKeys = certificates.map(publicKeyOf).filter((key) => key !== undefined);
  if (signingKeys.length === 0) return undefined;
  const validUntil = Date.parse(root.attributes.get('validUntil') ?? '');
  return { entityId, signingKeys, validUntil: Number.isNaN(validUntil) ? undefined : validUntil };
}

function certificatesIn(descriptor: XmlElement): string[] {
  const infos = descriptor.children.filter(({ name }) => name === 'KeyInfo');
  const data = infos.flatMap(({ children }) => children).filter(({ name }) => name === 'X509Data');
  const found = data.flatMap(({ children }) => children).filter(({ name }) => name === 'X509Certificate');
  return found.map(({ text }) => text.replace(/\s/g, ''));
}

/** A certificate's key. When the certificate ends does not matter, as in AWS: the metadata says whom to believe. */
function publicKeyOf(base64: string): string | undefined {
  try {
    const { publicKey } = new X509Certificate(Buffer.from(base64, 'base64'));
    const bits = publicKey.asymmetricKeyDetails?.modulusLength ?? 0;
    if (publicKey.asymmetricKeyType !== 'rsa' || bits < MIN_RSA_BITS) return undefined;
    return publicKey.export({ type: 'spki', format: 'pem' }).toString();
  } catch {
    return undefined;
  }
}
