import { createHash } from 'node:crypto';
import type { OpenedSource } from './opened-source.ts';

/** Bytes over which a digest is kept: 32 bytes of memory for each MiB of the file. */
const CHUNK = 1024 * 1024;

/**
 * A file whose bytes stay what they were when they were first read, or reading ends with an error: for files at places
 * that may give something else at each reading, where what was verified once has to be what is used.
 *
 * @param changed the error that says so
 */
export function unchangedSource(source: OpenedSource, changed: () => Error): OpenedSource {
  const digests = new Map<number, Buffer>();
  return {
    size: source.size,
    async read(offset, target) {
      const first = Math.floor(offset / CHUNK);
      const begin = first * CHUNK;
      const end = Math.min(source.size, Math.ceil((offset + target.length) / CHUNK) * CHUNK);
      const bytes = new Uint8Array(end - begin);
      if (bytes.length > 0) await source.read(begin, bytes);
      for (let at = 0; at < bytes.length; at += CHUNK) {
        const index = first + at / CHUNK;
        const digest = createHash('sha256')
          .update(bytes.subarray(at, at + CHUNK))
          .digest();
        const known = digests.get(index);
        if (known !== undefined && !known.equals(digest)) throw changed();
        digests.set(index, digest);
      }
      target.set(bytes.subarray(offset - begin, offset - begin + target.length));
    },
  };
}
