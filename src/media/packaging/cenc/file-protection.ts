import { ERROR_CODES, TranscodeError } from '../../transcode-error.ts';
import { type BoxSpan, listBoxes } from '../mp4-boxes.ts';
import { protectedInit } from './protected-init.ts';
import type { TrackProtection } from './track-protection.ts';

/** Encrypts what a muxer of fragmented MP4 writes, on its way out: descriptions of tracks, and whole fragments. */
export class FileProtection {
  readonly #tracks: readonly TrackProtection[];
  readonly #form: 'iso' | 'piff';

  /** @param tracks all of the file's, in their order; their numbers are 1 and on */
  constructor(tracks: readonly TrackProtection[], form: 'iso' | 'piff' = 'iso') {
    this.#tracks = tracks;
    this.#form = form;
  }

  /**
   * @param bytes whole boxes; those of fragments are overwritten
   * @param isClear whether the fragments stay in the clear, as those at the beginning may
   * @throws TranscodeError 1091
   */
  protect(bytes: Buffer, isClear = false): Buffer {
    try {
      const form = isClear ? 'clear' : this.#form;
      return Buffer.concat(
        listBoxes(bytes).map((span) => {
          if (span.type === 'moov') return this.#describe(bytes.subarray(span.start, span.end));
          if (span.type !== 'moof') return bytes.subarray(span.start, span.end);
          return this.#trackOf(bytes, span).fragment(bytes, span, form);
        }),
      );
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new TranscodeError(ERROR_CODES.encryptionFailed, `Encrypting the content failed: ${error.message}`);
    }
  }

  #describe(moov: Buffer): Buffer {
    const facts = this.#tracks.map((track, index) => track.begin(moov, index));
    const boxes = this.#tracks.flatMap(({ encryption }) => encryption.psshs.map((pssh) => Buffer.from(pssh)));
    const psshs = boxes.filter((pssh, index) => boxes.findIndex((other) => other.equals(pssh)) === index);
    return protectedInit(moov, facts, psshs);
  }

  #trackOf(bytes: Buffer, moof: BoxSpan): TrackProtection {
    const traf = listBoxes(bytes, moof.body, moof.end).find(({ type }) => type === 'traf');
    const header = traf && listBoxes(bytes, traf.body, traf.end).find(({ type }) => type === 'tfhd');
    const track = header && this.#tracks[bytes.readUInt32BE(header.body + 4) - 1];
    if (track === undefined) throw new RangeError('A fragment is of no track.');
    return track;
  }
}
