import type { PlaylistKey, RenditionEncryption } from '../content-encryption.ts';
import { segmentIv } from './hls-protection.ts';

/**
 * `EXT-X-KEY` (RFC 8216, 4.3.2.4) before a segment, where it says something new: at the first one that is encrypted, and
 * at each where vectors are listed and every segment has its own.
 *
 * @param number the segment's, from 1
 */
export function keyLines(encryption: RenditionEncryption | undefined, number: number): string[] {
  if (encryption === undefined) return [];
  const { clearSegments, iv, isIvListed, method, playlists } = encryption;
  const isFirst = number === clearSegments + 1;
  // Samples of `cenc` have their own vectors each, which stand with them.
  const hasVector = method !== 'SAMPLE-AES-CTR';
  const isEach = iv === undefined && isIvListed && hasVector && number > clearSegments;
  if (!isFirst && !isEach) return [];
  const vector = hasVector ? segmentIv(encryption, number) : undefined;
  return playlists.flatMap((key) => {
    if (key.kind === 'lines') return isFirst ? [...key.media] : [];
    return [`#EXT-X-KEY:${attributes(encryption, key, vector)}`];
  });
}

/** `EXT-X-SESSION-KEY`, one for each key and system. */
export function sessionKeyLines(encryptions: readonly (RenditionEncryption | undefined)[]): string[] {
  const lines = encryptions.flatMap((encryption) => {
    if (encryption?.isSessionKeyWritten !== true) return [];
    return encryption.playlists.flatMap((key) => {
      if (key.kind === 'lines') return [...key.session];
      const vector = encryption.isIvOfGroup ? encryption.iv : undefined;
      return [`#EXT-X-SESSION-KEY:${attributes(encryption, key, vector)}`];
    });
  });
  return [...new Set(lines)];
}

/** RFC 8216, section 7: SAMPLE-AES and the format of a key came with version 5. */
export function keyVersion(encryptions: readonly (RenditionEncryption | undefined)[]): number {
  const isNew = encryptions.some((encryption) => {
    if (encryption === undefined) return false;
    const isFormatted = ({ keyFormat, keyFormatVersions }: PlaylistKey & { kind: 'address' }): boolean =>
      keyFormat !== undefined || keyFormatVersions !== undefined;
    return (
      encryption.method !== 'AES-128' || encryption.playlists.some((key) => key.kind === 'lines' || isFormatted(key))
    );
  });
  return isNew ? 5 : 3;
}

function attributes(
  { method, isIvListed }: RenditionEncryption,
  { uri, keyFormat, keyFormatVersions }: PlaylistKey & { kind: 'address' },
  iv: Uint8Array | undefined,
): string {
  return [
    `METHOD=${method}`,
    `URI="${quoted(uri)}"`,
    ...(isIvListed && iv !== undefined ? [`IV=0x${Buffer.from(iv).toString('hex')}`] : []),
    ...(keyFormat === undefined ? [] : [`KEYFORMAT="${quoted(keyFormat)}"`]),
    ...(keyFormatVersions === undefined ? [] : [`KEYFORMATVERSIONS="${quoted(keyFormatVersions)}"`]),
  ].join(',');
}

/** A quoted string may hold neither quotes nor line ends. */
function quoted(text: string): string {
  return text.replace(/["\r\n]/g, '');
}
