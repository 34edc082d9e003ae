import type { EncryptionScheme } from '#media/cpix/document.ts';
import { WIDEVINE } from '#media/cpix/system-ids.ts';
import { psshBox, uuidBytes } from './pssh.ts';

const PROVIDER = 'coffer';

/** Field numbers of Widevine's header, a message of Protocol Buffers. */
const KEY_ID = 2;
const PROVIDER_NAME = 3;
const CONTENT_ID = 4;
const PROTECTION_SCHEME = 9;

/** A `pssh` box of Widevine's form. */
export function widevinePssh(kid: string, contentId: string, scheme: EncryptionScheme): Buffer {
  const fourcc = Buffer.from(scheme).readUInt32BE();
  const data = Buffer.concat([
    bytesField(KEY_ID, uuidBytes(kid)),
    bytesField(PROVIDER_NAME, Buffer.from(PROVIDER)),
    bytesField(CONTENT_ID, Buffer.from(contentId)),
    varint(PROTECTION_SCHEME << 3),
    varint(fourcc),
  ]);
  return psshBox(WIDEVINE, data);
}

function bytesField(field: number, value: Buffer): Buffer {
  const LENGTH_DELIMITED = 2;
  return Buffer.concat([varint((field << 3) | LENGTH_DELIMITED), varint(value.length), value]);
}

/** @param value not negative, below 2^32 */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}
