import { randomBytes } from 'node:crypto';
import { ContentKey } from '#crypto/content-cipher.ts';
import type { RenditionEncryption } from '../../content-encryption.ts';
import type { NalLengthSize } from '../codecs/nal-units.ts';
import type { BoxSpan } from '../mp4-boxes.ts';
import { AvcSliceHeaders } from './avc-slice-header.ts';
import { parameterSetsOf } from './configuration-sets.ts';
import { trackFragment } from './fragment-samples.ts';
import { HevcSliceHeaders } from './hevc-slice-header.ts';
import {
  clearSampleGroups,
  configurationOf,
  type InitFacts,
  piffSamples,
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
 * Common encryption (ISO/IEC 23001-7) of one track of fragmented MP4: of its samples, and of what is said of them.
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

  /**
   * Takes the track's parameter sets in.
   *
   * @param moov of the file, whose tracks are in the clear
   * @param track its place
   * @returns what is to be said of the track
   * @throws RangeError
   */
  begin(moov: Buffer, track: number): InitFacts {
    if (this.#headers !== undefined) {
      const configuration = configurationOf(moov, track);
      if (configuration === undefined) throw new RangeError('The track has no parameter sets.');
      const { lengthSize, units } = parameterSetsOf(this.#codec === 'h264' ? 'h264' : 'h265', configuration);
      this.#lengthSize = lengthSize;
      for (const unit of units) this.#headers.addParameterSet(unit);
    }
    const { keyId, iv } = this.#encryption;
    return { scheme: this.#scheme, isVideo: this.#headers !== undefined, keyId, ...(iv !== undefined && { iv }) };
  }

  /**
   * Encrypts the samples that a `moof` describes.
   *
   * @param bytes in which both stand; the samples are overwritten
   * @param form `clear` leaves them as they are, and says so; `piff` says more, for Smooth Streaming
   * @returns the `moof` that says so
   * @throws RangeError
   */
  fragment(bytes: Buffer, moof: BoxSpan, form: 'iso' | 'piff' | 'clear'): Buffer {
    const { traf, offsets, samples } = trackFragment(bytes, moof);
    const views = samples.map(({ start, end }) => bytes.subarray(start, end));
    const added =
      form === 'clear' ? clearSampleGroups(samples.length) : this.#encrypt(views, traf.end - moof.start, form);
    const head = Buffer.from(bytes.subarray(moof.start, traf.end));
    head.writeUInt32BE(moof.end - moof.start + added.length);
    head.writeUInt32BE(traf.end - traf.start + added.length, traf.start - moof.start);
    for (const at of offsets) head.writeInt32BE(bytes.readInt32BE(at) + added.length, at - moof.start);
    return Buffer.concat([head, added, bytes.subarray(traf.end, moof.end)]);
  }

  /** @param offset where the boxes will stand, from the beginning of `moof` */
  #encrypt(samples: readonly Buffer[], offset: number, form: 'iso' | 'piff'): Buffer {
    const headers = this.#headers;
    const entries = samples.map((sample) => {
      const pieces = headers && subsamplesOf(sample, this.#lengthSize, headers, this.#scheme === 'cenc');
      const entry = sampleEntry(this.#cipher.iv, pieces);
      this.#cipher.encrypt(sample, pieces);
      return entry;
    });
    // With one vector for all, and nothing in the clear, there is nothing to say of a sample.
    if (this.#scheme === 'cbcs' && headers === undefined) return Buffer.alloc(0);
    const hasPieces = headers !== undefined;
    const auxiliary = sampleAuxiliary(entries, hasPieces, offset);
    return form === 'iso' ? auxiliary : Buffer.concat([auxiliary, piffSamples(entries, hasPieces)]);
  }
}
