import type { RenditionEncryption } from '../content-encryption.ts';

/** The namespaces of what stands in `ContentProtection` elements, declared where they stand. */
const COMMON_ENCRYPTION = 'urn:mpeg:cenc:2013';

/**
 * `ContentProtection` elements (ISO 23009-1, 5.8.4.1; ISO/IEC 23001-7, 11): that the content is encrypted, by which scheme
 * and with which key, and then what each DRM system wants to be told.
 */
export function contentProtections(encryption: RenditionEncryption | undefined, indent: string): string[] {
  if (encryption === undefined) return [];
  const { method, keyId, dash } = encryption;
  const value = method === 'SAMPLE-AES-CTR' ? 'cenc' : 'cbcs';
  return [
    `${indent}<ContentProtection schemeIdUri="urn:mpeg:dash:mp4protection:2011" value="${value}"` +
      ` xmlns:cenc="${COMMON_ENCRYPTION}" cenc:default_KID="${uuid(keyId)}"/>`,
    ...dash.map(({ systemId, content }) =>
      content === ''
        ? `${indent}<ContentProtection schemeIdUri="urn:uuid:${systemId}"/>`
        : `${indent}<ContentProtection schemeIdUri="urn:uuid:${systemId}">${content}</ContentProtection>`,
    ),
  ];
}

function uuid(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** What of renditions has to be alike for them to stand in one set: players choose a key for the whole set. */
export function protectionId(encryption: RenditionEncryption | undefined): string {
  return encryption === undefined ? '' : `${encryption.method} ${uuid(encryption.keyId)}`;
}
