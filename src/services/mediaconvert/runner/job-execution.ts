import type { OutputGroupDetail } from '@aws-sdk/client-mediaconvert';
import { ERROR_CODES, TranscodeError } from '#media/transcode-error.ts';
import type { TranscodeEvent, TranscodeResult } from '#media/transcode-job.ts';
import type { TranscodeRun } from '#media/transcoder.ts';
import { startTranscode, TranscodeCancelledError } from '#media/transcoder.ts';
import type { WorkerCredentials } from '#media/worker/messages.ts';
import { openRequest } from '../domain/job-request.ts';
import type { JobWarning } from '../domain/job-view.ts';
import { planTranscode } from '../domain/transcode-plan.ts';
import type { JobChange, JobRecord } from '../store.ts';
import { decryptInputKeys } from './input-keys.ts';
import { assumeJobRole } from './role-session.ts';
import type { RunnerFacts } from './runner-facts.ts';
import { LEASE_MS } from './runner-facts.ts';

/** How often progress is written down and the lease renewed. */
const REPORT_MS = 1000;
const MAX_ERROR_LENGTH = 2000;
/** A job that has killed its runner this often is not begun again. */
const MAX_ATTEMPTS = 3;

/** One job from its claim to its end. */
export class JobExecution {
  readonly #facts: RunnerFacts;
  readonly #job: JobRecord;
  readonly #owner: string;
  readonly #endpoint: string;
  readonly #warnings: JobWarning[] = [];
  #run: TranscodeRun | undefined;
  #pending: JobChange = {};
  #isOver = false;
  #isAbandoned = false;

  constructor(facts: RunnerFacts, job: JobRecord, owner: string, endpoint: string) {
    this.#facts = facts;
    this.#job = job;
    this.#owner = owner;
    this.#endpoint = endpoint;
  }

  /** Resolves when the job is over, or is not this runner's any more; never rejects. */
  async run(): Promise<void> {
    const reports = setInterval(() => void this.#report(), REPORT_MS);
    try {
      if (this.#job.attempts > MAX_ATTEMPTS) {
        throw new TranscodeError(ERROR_CODES.unknown, 'Unknown error: the job did not survive several attempts.');
      }
      const result = await this.#transcode();
      await this.#finish({ status: 'COMPLETE', percent: 100, output_details: JSON.stringify(detailsOf(result)) });
    } catch (error) {
      await this.#fail(error);
    } finally {
      clearInterval(reports);
    }
  }

  cancel(): void {
    this.#isOver = true;
    this.#run?.cancel();
  }

  /** Ends the worker, but not the job: it begins again with the next runner. */
  async abandon(): Promise<void> {
    this.#isAbandoned = true;
    this.cancel();
    await this.#change({ lease_until: 0 });
  }

  async #transcode(): Promise<TranscodeResult> {
    const { rootKey, sts, kms, clock, limits } = this.#facts;
    const { Settings } = openRequest(rootKey, this.#job);
    if (Settings === undefined) throw new Error('The job has no settings.');
    const session = await assumeJobRole(sts, this.#job);
    let first: WorkerCredentials | undefined = session.credentials;
    const credentials = async (): Promise<WorkerCredentials> => {
      const given = first ?? (await assumeJobRole(sts, this.#job)).credentials;
      first = undefined;
      return given;
    };
    const keys = await decryptInputKeys(kms, Settings.Inputs ?? [], session.caller, this.#job.region);
    try {
      if (this.#isOver) throw new TranscodeCancelledError();
      this.#run = startTranscode(
        planTranscode(Settings, this.#job.started_at ?? clock.now(), keys),
        { endpoint: this.#endpoint, region: this.#job.region, credentials },
        (event) => this.#note(event),
        limits,
      );
      return await this.#run.result;
    } finally {
      for (const key of keys) key?.fill(0);
    }
  }

  #note(event: TranscodeEvent): void {
    switch (event.kind) {
      case 'phase':
        this.#pending = { ...this.#pending, phase: event.phase };
        void this.#report();
        return;
      case 'progress':
        this.#pending = { ...this.#pending, percent: event.percent ?? null };
        return;
      case 'warning':
        this.#warnings.push({ code: event.code, message: event.message });
        this.#pending = { ...this.#pending, warnings: JSON.stringify(this.#warnings) };
        return;
      case 'input':
        this.#facts.logger.debug({ jobId: this.#job.id, input: event.index, info: event.info }, 'Input probed');
    }
  }

  /** Writes progress down and renews the lease; a job that is not held any more is let go. */
  async #report(): Promise<void> {
    if (this.#isOver) return;
    const change = { ...this.#pending, lease_until: this.#facts.clock.now() + LEASE_MS };
    this.#pending = {};
    if (!(await this.#change(change))) this.cancel();
  }

  async #fail(error: unknown): Promise<void> {
    if (this.#isAbandoned || error instanceof TranscodeCancelledError) return;
    const { logger } = this.#facts;
    const isKnown = error instanceof TranscodeError;
    if (!isKnown) logger.error({ err: error, jobId: this.#job.id }, 'A MediaConvert job failed unexpectedly');
    await this.#finish({
      status: 'ERROR',
      error_code: isKnown ? error.code : ERROR_CODES.unknown,
      error_message: (isKnown ? error.message : 'Unknown error').slice(0, MAX_ERROR_LENGTH),
    });
  }

  async #finish(change: JobChange): Promise<void> {
    if (this.#isAbandoned) return;
    this.#isOver = true;
    await this.#change({
      ...this.#pending,
      ...change,
      phase: null,
      finished_at: this.#facts.clock.now(),
      lease_owner: null,
      lease_until: null,
    });
  }

  /** A failing write must not end the process: the lease then runs out, and the job begins again. */
  async #change(change: JobChange): Promise<boolean> {
    try {
      return await this.#facts.store.changeHeld(this.#job.id, this.#owner, change);
    } catch (error) {
      this.#facts.logger.error({ err: error, jobId: this.#job.id }, 'Could not write a MediaConvert job down');
      return true;
    }
  }
}

function detailsOf(result: TranscodeResult): OutputGroupDetail[] {
  return result.groups.map((group) => ({
    OutputDetails: group.outputs.map((output) => ({
      DurationInMs: output.durationMs,
      ...(output.width !== undefined &&
        output.height !== undefined && {
          VideoDetails: { WidthInPx: output.width, HeightInPx: output.height },
        }),
    })),
  }));
}
