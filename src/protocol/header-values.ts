import { DecodeFailure } from './decode-failure.ts';

/** Splits a list in a header: items between commas, an item with a comma inside quotes. */
export function splitHeaderList(value: string): string[] {
  const items: string[] = [];
  for (const match of value.matchAll(/\s*(?:"((?:[^"\\]|\\.)*)"|([^,]*?))\s*(?:,|$)/g)) {
    const quoted = match[1];
    const item = quoted === undefined ? (match[2] ?? '') : quoted.replace(/\\(.)/g, '$1');
    if (item !== '' || quoted !== undefined) items.push(item);
  }
  return items;
}

/** An item of a list in a header, in quotes where it needs them. */
export function quoteHeaderItem(item: string): string {
  return /[",]/.test(item) ? `"${item.replace(/["\\]/g, '\\$&')}"` : item;
}

const VISIBLE_ASCII = /^[\x20-\x7e]*$/;
const ENCODED_WORD = /=\?([\w-]+)\?([BbQq])\?([^?]*)\?=/g;

/**
 * The text of a user metadata header: bytes that are UTF-8 are read as such (Node gives them as Latin-1), and RFC 2047
 * words are decoded, as S3 does.
 *
 * @throws DecodeFailure for encoded words in a character set that is not UTF-8 or Latin-1
 */
export function decodeMetadataValue(received: string): string {
  const text = VISIBLE_ASCII.test(received) ? received : utf8Of(received);
  if (!text.includes('=?')) return text;
  return text.replace(ENCODED_WORD, (_word, charset: string, encoding: string, content: string) => {
    const bytes = encoding.toUpperCase() === 'B' ? Buffer.from(content, 'base64') : quotedBytes(content);
    switch (charset.toLowerCase()) {
      case 'utf-8':
      case 'us-ascii':
        return bytes.toString('utf8');
      case 'iso-8859-1':
        return bytes.toString('latin1');
      default:
        throw new DecodeFailure(`The character set ${charset} is not supported in metadata`);
    }
  });
}

function utf8Of(received: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(received, 'latin1'));
  } catch {
    return received;
  }
}

function quotedBytes(content: string): Buffer {
  const text = content
    .replaceAll('_', ' ')
    .replace(/=([0-9A-Fa-f]{2})/g, (_escape, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(text, 'latin1');
}

/** A user metadata value for a header: RFC 2047 in base64 where it is not visible ASCII, as S3 answers. */
export function encodeMetadataValue(text: string): string {
  return VISIBLE_ASCII.test(text) ? text : `=?UTF-8?B?${Buffer.from(text, 'utf8').toString('base64')}?=`;
}

const SENDABLE = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * INVARIANT: no value from a request or a handler can end a header or begin another. Control characters become spaces;
 * what Latin-1 can not hold is sent as the bytes of its UTF-8.
 */
export function headerSafe(value: string): string {
  if (SENDABLE.test(value)) return value;
  // oxlint-disable-next-line no-control-regex -- they are what must not get through
  const bytes = /[^\x00-\xff]/.test(value) ? Buffer.from(value, 'utf8').toString('latin1') : value;
  // oxlint-disable-next-line no-control-regex -- they are what must not get through
  return bytes.replace(/[\x00-\x08\x0a-\x1f\x7f]/g, ' ');
}
