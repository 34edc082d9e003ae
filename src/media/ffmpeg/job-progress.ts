import type { TranscodeJob } from '../transcode-job.ts';
import type { MediaInfo, TranscodeEvent } from '../transcode-report.ts';
import { type ClipWindow, WHOLE } from './clip-windows.ts';
import { needsFirstPass } from './first-pass.ts';

const REPORT_EVERY_FRAMES = 30;

/** How far a job is, over all of its passes over the inputs. */
export class JobProgress {
  readonly #report: (event: TranscodeEvent) => void;
  /** Of all the inputs' parts; NaN where an input does not tell. */
  #inputSeconds = 0;
  #passes = 1;
  #passesOver = 0;
  #framesSeen = 0;
  #percent = 0;

  constructor(report: (event: TranscodeEvent) => void) {
    this.#report = report;
  }

  /** @param lengths in seconds, of each part of each input */
  begin(lengths: readonly number[], { groups }: TranscodeJob): void {
    this.#inputSeconds = lengths.reduce((sum, length) => sum + length, 0);
    const isHeard = groups.some(({ outputs }) =>
      outputs.some(({ audios }) => audios.some(({ loudness }) => loudness !== undefined)),
    );
    const isSeen = groups.some(({ outputs }) => outputs.some(({ video }) => needsFirstPass(video)));
    this.#passes = 1 + Number(isHeard) + Number(isSeen);
  }

  endPass(): void {
    this.#passesOver += 1;
  }

  /** @param seconds of all inputs that the running pass has seen */
  tell(seconds: number, framesDecoded: number): void {
    this.#framesSeen += 1;
    if (this.#framesSeen % REPORT_EVERY_FRAMES !== 0) return;
    const share = (this.#passesOver + Math.min(1, seconds / this.#inputSeconds)) / this.#passes;
    const isKnown = this.#inputSeconds > 0;
    // Loudness that has to be limited is listened to once more, which nobody knew before.
    if (isKnown) this.#percent = Math.max(this.#percent, Math.min(99, Math.floor(share * 100)));
    this.#report({ kind: 'progress', framesDecoded, ...(isKnown && { percent: this.#percent }) });
  }
}

/** Seconds of each part of each input; NaN for one that does not tell. */
export function partLengths(
  infos: readonly MediaInfo[],
  windows: readonly (readonly ClipWindow[])[],
): readonly number[] {
  return infos.flatMap(({ durationSeconds }, index) =>
    (windows[index] ?? [WHOLE]).map(({ from, to }) => (to ?? durationSeconds ?? Number.NaN) - from),
  );
}
