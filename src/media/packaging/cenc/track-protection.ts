import { randomBytes } from 'node:crypto';
import { ContentKey } from '#crypto/content-cipher.ts';
import type { RenditionEncryption } from '../../content-encryption.ts';
import { ERROR_CODES, TranscodeError } from '../../transcode-error.ts';
import type { NalLengthSize } from '../codecs/nal-units.ts';
import { listBoxes } from '../mp4-boxes.ts';
import { AvcSliceHeaders } from './avc-slice-header.ts';
import { parameterSetsOf } from './configuration-sets.ts';
import { trackFragment } from './fragment-samples.ts';
import { HevcSliceHeaders } from './hevc-slice-header.ts';
import {
  clearSampleGroups,
  configurationOf,
  protectedInit,
  sampleAuxiliary,
  sampleEntry,
  type Scheme,
} from './protected-init.ts';
import { CounterCipher, PatternCipher, type SampleCipher } from './sample-cipher.ts';
import type { SliceHeaders } from './slice-header.ts';
import { subsamplesOf } from './subsamples.ts';

/** What the track holds: sound is encrypted as a whole, pictures behind their slices' headers. */
export type ProtectedCodec = 'h264' | 'h265' | 'sound';

/**
 * Common encryption (ISO/IEC 23001-7) of one track of fragmented MP4: takes the clear initialization segment and
 * fragments as a muxer writes them, and gives the encrypted ones.
 */
export class TrackProtection {
  readonly #encryption: RenditionEncryption;
  readonly #scheme: Scheme;
  readonly #codec: ProtectedCodec;
  readonly #cipher: SampleCipher;
  readonly #headers: SliceHeaders | undefined;
  #lengthSize: NalLengthSize = 4;

  constructor(encryption: RenditionEncryption, codec: ProtectedCodec) {
    this.#scheme = encryption.method === 'SAMPLE-AES-CTR' ? 'cenc' : 'cbcs';
    const isIvNeeded = this.#scheme === 'cbcs' && encryption.iv === undefined;
    this.#encryption = isIvNeeded ? { ...encryption, iv: randomBytes(16) } : encryption;
    this.#codec = codec;
    const key = new ContentKey(encryption.key);
    const { iv = Buffer.alloc(0) } = this.#encryption;
    this.#cipher = this.#scheme === 'cenc' ? new CounterCipher(key) : new PatternCipher(key, iv);
    if (codec === 'h264') this.#headers = new AvcSliceHeaders();
    if (codec === 'h265') this.#headers = new HevcSliceHeaders();
  }

  /** As manifests have to tell of it, with the vector that was chosen here. */
  get encryption(): RenditionEncryption {
    return this.#encryption;
  }

  /** @throws TranscodeError 1091 */
  init(init: Buffer): Buffer {
    return guarded(() => {
      const configuration = configurationOf(init);
      if (this.#headers !== undefined) {
        if (configuration === undefined) throw new RangeError('The track has no parameter sets.');
        const { lengthSize, units } = parameterSetsOf(this.#codec === 'h264' ? 'h264' : 'h265', configuration);
        this.#lengthSize = lengthSize;
        for (const unit of units) this.#headers.addParameterSet(unit);
      }
      const { keyId, iv, psshs } = this.#encryption;
      const isVideo = this.#headers !== undefined;
      return protectedInit(init, { scheme: this.#scheme, isVideo, keyId, psshs, ...(iv !== undefined && { iv }) });
    });
  }

  /**
   * @param bytes whole fragments; they are overwritten
   * @param isClear whether they belong to the segments at the beginning that stay in the clear
   * @throws TranscodeError 1091
   */
  fragments(bytes: Buffer, isClear: boolean): Buffer {
    return guarded(() => {
      const pieces: Buffer[] = [];
      for (const span of listBoxes(bytes)) {
        pieces.push(span.type === 'moof' ? this.#fragment(bytes, span, isClear) : bytes.subarray(span.start, span.end));
      }
      return Buffer.concat(pieces);
    });
  }

  /** Encrypts the samples that a `moof` describes; returns the `moof` that says so. */
  #fragment(bytes: Buffer, moof: ReturnType<typeof listBoxes>[number], isClear: boolean): Buffer {
    const { traf, offsets, samples } = trackFragment(bytes, moof);
    const added = isClear
      ? clearSampleGroups(samples.length)
      : this.#encrypt(
          samples.map(({ start, end }) => bytes.subarray(start, end)),
          traf.end - moof.start,
        );
    const head = Buffer.from(bytes.subarray(moof.start, traf.end));
    head.writeUInt32BE(moof.end - moof.start + added.length);
    head.writeUInt32BE(traf.end - traf.start + added.length, traf.start - moof.start);
    for (const at of offsets) head.writeInt32BE(bytes.readInt32BE(at) + added.length, at - moof.start);
    return Buffer.concat([head, added, bytes.subarray(traf.end, moof.end)]);
  }

  /** @param offset where the boxes will stand, from the beginning of `moof` */
  #encrypt(samples: readonly Buffer[], offset: number): Buffer {
    const headers = this.#headers;
    const entries = samples.map((sample) => {
      const pieces = headers && subsamplesOf(sample, this.#lengthSize, headers, this.#scheme === 'cenc');
      const entry = sampleEntry(this.#cipher.iv, pieces);
      this.#cipher.encrypt(sample, pieces);
      return entry;
    });
    // With one vector for all, and nothing in the clear, there is nothing to say of a sample.
    const isNeeded = this.#scheme === 'cenc' || headers !== undefined;
    return isNeeded ? sampleAuxiliary(entries, headers !== undefined, offset) : Buffer.alloc(0);
  }
}

function guarded<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new TranscodeError(ERROR_CODES.encryptionFailed, `Encrypting the content failed: ${error.message}`);
  }
}
