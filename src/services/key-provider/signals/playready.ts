import { escapeText } from '#kernel/escape-xml.ts';
import type { EncryptionScheme } from '#media/cpix/document.ts';
import { PLAYREADY } from '#media/cpix/system-ids.ts';
import { psshBox, uuidBytes } from './pssh.ts';

const NAMESPACE = 'http://schemas.microsoft.com/DRM/2007/03/PlayReadyHeader';
const RIGHTS_MANAGEMENT_HEADER = 1;

/**
 * PlayReady's object with one header: version 4.0 where AES-CTR protects, which the oldest players know, and 4.3, the
 * first that knows AES-CBC, where that does. Source: "PlayReady header specification" and "PlayReady object".
 */
export function playReadyObject(kid: string, scheme: EncryptionScheme, licenceUrl: string): Buffer {
  const id = guidBytes(kid).toString('base64');
  const address = `<LA_URL>${escapeText(licenceUrl)}</LA_URL>`;
  const isCbc = scheme === 'cbcs' || scheme === 'cbc1';
  const data = isCbc
    ? `<PROTECTINFO><KIDS><KID ALGID="AESCBC" VALUE="${id}"></KID></KIDS></PROTECTINFO>${address}`
    : `<PROTECTINFO><KEYLEN>16</KEYLEN><ALGID>AESCTR</ALGID></PROTECTINFO><KID>${id}</KID>${address}`;
  const version = isCbc ? '4.3.0.0' : '4.0.0.0';
  const header = `<WRMHEADER xmlns="${NAMESPACE}" version="${version}"><DATA>${data}</DATA></WRMHEADER>`;
  const record = Buffer.from(header, 'utf16le');
  const head = Buffer.alloc(10);
  head.writeUInt32LE(head.length + record.length);
  head.writeUInt16LE(1, 4);
  head.writeUInt16LE(RIGHTS_MANAGEMENT_HEADER, 6);
  head.writeUInt16LE(record.length, 8);
  return Buffer.concat([head, record]);
}

export function playReadyPssh(object: Buffer): Buffer {
  return psshBox(PLAYREADY, object);
}

/** A UUID as Windows lays it out: its first three parts have their lowest byte first. */
function guidBytes(uuid: string): Buffer {
  const bytes = uuidBytes(uuid);
  return Buffer.concat([
    bytes.subarray(0, 4).toReversed(),
    bytes.subarray(4, 6).toReversed(),
    bytes.subarray(6, 8).toReversed(),
    bytes.subarray(8),
  ]);
}
