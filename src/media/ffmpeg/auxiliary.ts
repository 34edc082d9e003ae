import type { MediaLocation } from '../transcode-input.ts';
import type { ByteSource } from './media-input.ts';

/** The bytes of a file that a setting names beside the inputs: an image, captions, sound. Whoever opens it closes it. */
export interface AuxiliarySource extends ByteSource {
  close(): void;
}

/** Opens auxiliary files with the rights of the job's role. */
export interface AuxiliaryPort {
  /**
   * Opens a file; blocks. Several may be open at once, beside the input.
   *
   * @param maxBytes the most that the file may have
   * @throws TranscodeError 1010 when it is empty or larger; where it is not there or may not be read, the job ends with
   *   1404, 1401 or one of 34xx
   */
  openAuxiliary(location: MediaLocation, maxBytes: number): AuxiliarySource;
  /** As `openAuxiliary`, but that a file may be missing, or not be known to be there: then there is nothing. */
  openIfThere(location: MediaLocation, maxBytes: number): AuxiliarySource | undefined;
}

/** Reads a whole auxiliary file. @throws TranscodeError as `openAuxiliary` does */
export function readAuxiliary(port: AuxiliaryPort, location: MediaLocation, maxBytes: number): Buffer {
  return readAll(port.openAuxiliary(location, maxBytes));
}

/** Reads a file from front to end, and closes it. */
export function readAll(source: AuxiliarySource): Buffer {
  try {
    const parts: Buffer[] = [];
    for (let at = 0; at < source.size; ) {
      const part = source.read(at, source.size - at);
      if (part.length === 0) break;
      parts.push(Buffer.from(part));
      at += part.length;
    }
    return Buffer.concat(parts);
  } finally {
    source.close();
  }
}
