import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

export interface Scan {
  readonly files: number;
  readonly bytes: number;
  /** `needle in file` for each that was found. */
  readonly found: readonly string[];
}

/** Searches every file of a folder for any of the needles, also where one lies across two reads. */
export async function scanForPlaintext(folder: string, needles: ReadonlyMap<string, Buffer>): Promise<Scan> {
  const longest = Math.max(...[...needles.values()].map((needle) => needle.length));
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const found: string[] = [];
  let files = 0;
  let bytes = 0;
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    files += 1;
    const path = join(entry.parentPath, entry.name);
    let tail = Buffer.alloc(0);
    for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) {
      bytes += (chunk as Buffer).length;
      const window = Buffer.concat([tail, chunk as Buffer]);
      for (const [name, needle] of needles) if (window.includes(needle)) found.push(`${name} in ${path}`);
      tail = Buffer.from(window.subarray(Math.max(0, window.length - longest + 1)));
    }
  }
  return { files, bytes, found };
}

const NEEDLE_LENGTH = 48;

/** Pieces of a plaintext, spread over it, that are long and various enough to mean something when they are found. */
export function needlesOf(name: string, plaintext: Buffer, count: number): Map<string, Buffer> {
  const needles = new Map<string, Buffer>();
  for (let i = 0; i < count; i++) {
    const offset = Math.floor(((plaintext.length - NEEDLE_LENGTH) * (i + 0.5)) / count);
    const needle = plaintext.subarray(offset, offset + NEEDLE_LENGTH);
    if (new Set(needle).size > NEEDLE_LENGTH / 3) needles.set(`${name} at ${offset}`, needle);
  }
  return needles;
}
