import type { Frame } from 'node-av/lib';
import { CaptionError } from '../captions/caption-error.ts';
import { CaptionTrack } from '../captions/caption-track.ts';
import { Cea608Decoder } from '../captions/cea608-decoder.ts';
import type { Cue } from '../captions/cue.ts';
import { LARGEST_FILE } from '../captions/decode-text.ts';
import { isTimecodeBased, readCaptions } from '../captions/read-captions.ts';
import type { CaptionFile, CaptionOutput } from '../caption-settings.ts';
import { uriOf } from '../media-location.ts';
import { ERROR_CODES, TranscodeError, unableToOpen } from '../transcode-error.ts';
import type { TranscodeJob } from '../transcode-job.ts';
import { type AuxiliaryPort, readAuxiliary } from './auxiliary.ts';
import type { ClipWindow } from './clip-windows.ts';
import type { FFmpeg } from './load-ffmpeg.ts';

/** Bytes of a closed caption's triplet: what it is, and two of data. */
const TRIPLET = 3;
const IS_VALID = 0x04;

/** All captions of a job, by the selector that gives them, on the outputs' time line. */
export class CaptionTracks {
  readonly #ffmpeg: FFmpeg;
  readonly #job: TranscodeJob;
  readonly #tracks = new Map<string, CaptionTrack>();
  /** Of files: by input and selector. */
  readonly #files = new Map<string, readonly Cue[]>();
  readonly #decoders = new Map<string, Cea608Decoder>();
  /** Those whose data outputs take over. */
  readonly #kept: ReadonlySet<string>;
  #input = 0;

  /**
   * Reads all files of captions.
   *
   * @throws TranscodeError 1010 for a file that does not hold what it should; 1401, 1404 where it cannot be read
   */
  constructor(ffmpeg: FFmpeg, job: TranscodeJob, port: AuxiliaryPort) {
    this.#ffmpeg = ffmpeg;
    this.#job = job;
    const outputs = captionsOf(job);
    for (const { selector } of outputs) {
      if (!this.#tracks.has(selector)) this.#tracks.set(selector, new CaptionTrack());
    }
    this.#kept = new Set(
      outputs.filter(({ destination }) => destination.kind === 'embedded').map(({ selector }) => selector),
    );
    job.inputs.forEach((input, index) => {
      for (const name of this.#tracks.keys()) {
        const source = input.captionSelectors?.[name];
        if (source?.kind === 'file') this.#files.set(`${index} ${name}`, readFile(port, source));
      }
    });
  }

  /** @throws RangeError for a selector that no output names */
  get(selector: string): CaptionTrack {
    const track = this.#tracks.get(selector);
    if (track === undefined) throw new RangeError(`There is no caption selector ${selector}.`);
    return track;
  }

  /** Whether the first input's captions come from its pictures. */
  isEmbedded(selector: string): boolean {
    return this.#job.inputs.some((input) => input.captionSelectors?.[selector]?.kind === 'embedded');
  }

  /**
   * @param baseSeconds where the part begins on the outputs' time line
   * @param nought seconds from the timecode nought to the input's first picture
   */
  beginPart(input: number, window: ClipWindow, baseSeconds: number, nought: number): void {
    this.#input = input;
    const baseMs = baseSeconds * 1000;
    const partShift = baseMs - window.from * 1000;
    const endMs = window.to === undefined ? Number.POSITIVE_INFINITY : window.to * 1000 + partShift;
    for (const [name, track] of this.#tracks) {
      track.beginPart();
      const source = this.#job.inputs[input]?.captionSelectors?.[name];
      const isCounted = source?.kind === 'file' && isTimecodeBased(source.format);
      const shift = isCounted ? partShift - nought * 1000 : partShift;
      for (const cue of this.#files.get(`${input} ${name}`) ?? []) {
        const startMs = Math.max(baseMs, cue.startMs + shift);
        const until = Math.min(endMs, cue.endMs + shift);
        if (startMs < until) track.add({ ...cue, startMs, endMs: until });
      }
      if (source?.kind !== 'embedded') continue;
      const known = this.#decoders.get(name);
      if (known !== undefined) continue;
      const decoder = new Cea608Decoder({ channel: source.channel }, (cue) => track.add(cue));
      this.#decoders.set(name, decoder);
      track.setOpen((ms) => decoder.open(ms));
    }
  }

  /** Takes the captions out of a decoded picture. @param seconds on the outputs' time line */
  readonly takePicture = (frame: Frame, seconds: number): void => {
    if (this.#decoders.size === 0) return;
    const data = frame.getSideData(this.#ffmpeg.AV_FRAME_DATA_A53_CC);
    const ms = seconds * 1000;
    if (data === null) return;
    for (let at = 0; at + TRIPLET <= data.length; at += TRIPLET) {
      const [mark = 0, first = 0, second = 0] = data.subarray(at, at + TRIPLET);
      if ((mark & IS_VALID) === 0) continue;
      const kind = mark & 0x03;
      for (const [name, decoder] of this.#decoders) {
        const source = this.#job.inputs[this.#input]?.captionSelectors?.[name];
        if (source?.kind !== 'embedded') continue;
        if (kind === decoder.field - 1) decoder.take(first, second, ms);
        if (!this.#kept.has(name)) continue;
        this.get(name).closed.add(ms, (mark << 16) | (first << 8) | second);
      }
    }
  };

  /** @param endSeconds where the part ends on the outputs' time line */
  endPart(endSeconds: number): void {
    const endMs = endSeconds * 1000;
    for (const [name, track] of this.#tracks) {
      const source = this.#job.inputs[this.#input]?.captionSelectors?.[name];
      if (source?.kind === 'embedded' && source.isTerminated) this.#close(name, endMs);
      track.endPart(endMs);
    }
  }

  /** Ends what nothing has ended. */
  finish(endSeconds: number): void {
    for (const name of this.#decoders.keys()) this.#close(name, endSeconds * 1000);
    for (const track of this.#tracks.values()) track.endPart(endSeconds * 1000);
  }

  #close(name: string, endMs: number): void {
    this.#decoders.get(name)?.finish(endMs);
    this.#decoders.delete(name);
    this.get(name).setOpen(undefined);
  }
}

function captionsOf(job: TranscodeJob): CaptionOutput[] {
  return job.groups.flatMap((group) => group.outputs.flatMap(({ captions }) => captions ?? []));
}

function readFile(port: AuxiliaryPort, file: CaptionFile): readonly Cue[] {
  const bytes = readAuxiliary(port, file.source, LARGEST_FILE);
  try {
    return readCaptions(bytes, file);
  } catch (error) {
    if (!(error instanceof CaptionError)) throw error;
    throw new TranscodeError(ERROR_CODES.inputUnreadable, unableToOpen(uriOf(file.source), error.message));
  }
}
