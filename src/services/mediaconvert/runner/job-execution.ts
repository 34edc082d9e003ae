import type { JobSettings } from '@aws-sdk/client-mediaconvert';
import { uriOf } from '#media/media-location.ts';
import type { SpareWorker } from '#media/spare-worker.ts';
import { ERROR_CODES, TranscodeError } from '#media/transcode-error.ts';
import type { HttpAccess } from '#media/http/http-reader.ts';
import type { MediaInfo, TranscodeEvent, TranscodeResult } from '#media/transcode-report.ts';
import type { TranscodeRun } from '#media/transcoder.ts';
import { startTranscode, TranscodeCancelledError } from '#media/transcoder.ts';
import type { WorkerCredentials } from '#media/worker/messages.ts';
import { POLICY_NAME, policyOf, webAccess } from '../domain/input-policy.ts';
import { effectiveSettings, openRequest } from '../domain/job-request.ts';
import { type JobWarning, warningsOf } from '../domain/job-warnings.ts';
import { planSource } from '../domain/generator-plan.ts';
import { planTranscode } from '../domain/transcode-plan.ts';
import { writtenGroups } from '../domain/written-group.ts';
import { type Finding, findingText } from '../preflight/finding.ts';
import { preflight } from '../preflight/preflight.ts';
import type { JobChange, JobCourse, JobRecord } from '../store.ts';
import { forgetKeys, orderContentKeys } from '../speke/content-key-orders.ts';
import { decryptInputKeys } from './input-keys.ts';
import { type EventJob, intervalOf, JobEvents } from './job-events.ts';
import { assumeJobRole, type JobSession } from './role-session.ts';
import type { RunnerFacts } from './runner-facts.ts';
import { LEASE_MS } from './runner-facts.ts';

/** How often progress is written down and the lease renewed. */
const REPORT_MS = 1000;
const MAX_ERROR_LENGTH = 2000;
/** After so long a job is given up, as in AWS. */
const MAX_RUNNING_MS = 48 * 3_600_000;
/** A job that has killed its runner this often is not begun again. */
const MAX_ATTEMPTS = 3;

/** Errors behind which a permission may be missing. */
const PERMISSION_CODES: ReadonlySet<number> = new Set([
  ERROR_CODES.accessDenied,
  ERROR_CODES.encryptionFailed,
  1432,
  1433,
  1434,
]);

const SERVICE = 'mediaconvert.amazonaws.com';

/** One job from its claim to its end. */
export class JobExecution {
  readonly #facts: RunnerFacts;
  readonly #job: JobRecord;
  readonly #owner: string;
  readonly #endpoint: string;
  readonly #spare: SpareWorker;
  readonly #events: JobEvents;
  readonly #warnings: JobWarning[];
  readonly #infos: MediaInfo[] = [];
  #event: EventJob;
  #inputs: readonly string[] = [];
  #phase = 'PROBING';
  readonly #phases: { phase: string; at: number }[] = [];
  #percent: number | undefined;
  #framesDecoded = 0;
  /** Milliseconds between status updates, and when the next is due. */
  #interval = Number.POSITIVE_INFINITY;
  #updateAt = Number.POSITIVE_INFINITY;
  #run: TranscodeRun | undefined;
  #pending: JobChange = {};
  #isOver = false;
  #isAbandoned = false;
  readonly #cancelled = new AbortController();

  constructor(facts: RunnerFacts, job: JobRecord, owner: string, endpoint: string, spare: SpareWorker) {
    this.#facts = facts;
    this.#job = job;
    this.#owner = owner;
    this.#endpoint = endpoint;
    this.#spare = spare;
    this.#events = new JobEvents(facts.events, facts.clock);
    this.#warnings = [...warningsOf(job)];
    this.#event = { ...job, userMetadata: {} };
    this.#phases.push({ phase: this.#phase, at: facts.clock.now() });
  }

  /** Resolves when the job is over, or is not this runner's any more; never rejects. */
  async run(): Promise<void> {
    const reports = setInterval(() => void this.#report(), REPORT_MS);
    try {
      if (this.#job.attempts > MAX_ATTEMPTS) {
        throw new TranscodeError(ERROR_CODES.unknown, 'Unknown error: the job did not survive several attempts.');
      }
      const groups = writtenGroups(await this.#transcode());
      const change = { status: 'COMPLETE', percent: 100, output_details: JSON.stringify(groups) } as const;
      if (await this.#finish(change)) this.#events.complete(this.#event, groups, this.#warnings);
    } catch (error) {
      await this.#fail(error);
    } finally {
      clearInterval(reports);
    }
  }

  cancel(): void {
    this.#isOver = true;
    this.#cancelled.abort();
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
    const request = openRequest(rootKey, this.#job);
    const settings = effectiveSettings(request);
    this.#event = { ...this.#job, userMetadata: request.UserMetadata ?? {} };
    this.#inputs = (settings.Inputs ?? []).map((input) => uriOf(planSource(input)));
    this.#interval = intervalOf(request.StatusUpdateInterval);
    this.#updateAt = clock.now() + this.#interval;
    this.#events.progressing(this.#event);
    const session = await assumeJobRole(sts, this.#job);
    let first: WorkerCredentials | undefined = session.credentials;
    const credentials = async (): Promise<WorkerCredentials> => {
      const given = first ?? (await assumeJobRole(sts, this.#job)).credentials;
      first = undefined;
      return given;
    };
    const keys = await decryptInputKeys(kms, settings.Inputs ?? [], session.caller, this.#job.region);
    let contentKeys: Awaited<ReturnType<typeof orderContentKeys>> = [];
    try {
      if (this.#isOver) throw new TranscodeCancelledError();
      contentKeys = await this.#orderContentKeys(settings, session);
      if (this.#isOver) throw new TranscodeCancelledError();
      const { mayUseHardware } = this.#facts;
      this.#run = startTranscode(
        { ...planTranscode(settings, this.#job.started_at ?? clock.now(), keys, contentKeys), mayUseHardware },
        { endpoint: this.#endpoint, region: this.#job.region, http: await this.#webAccess(), credentials },
        (event) => this.#note(event),
        limits,
        this.#spare.take(),
      );
      return await this.#run.result;
    } finally {
      for (const key of keys) key?.fill(0);
      forgetKeys(contentKeys);
    }
  }

  #orderContentKeys(settings: JobSettings, { caller, credentials }: JobSession) {
    const { keyProvider, keyProviderHosts } = this.#facts;
    return orderContentKeys(settings, {
      authority: { caller, region: this.#job.region, via: [], userAgent: SERVICE, sourceIp: SERVICE },
      own: keyProvider,
      access: {
        credentials,
        privateHosts: keyProviderHosts,
        signal: this.#cancelled.signal,
      },
    });
  }

  /** The account's policy as it is now: a job may have waited, and a server may redirect. */
  async #webAccess(): Promise<HttpAccess> {
    const { store, rootKey, privateInputHosts } = this.#facts;
    return webAccess(
      policyOf(rootKey, await store.resources.find(this.#job, 'policy', POLICY_NAME)),
      privateInputHosts,
    );
  }

  #note(event: TranscodeEvent): void {
    switch (event.kind) {
      case 'phase':
        if (event.phase !== this.#phase) this.#phases.push({ phase: event.phase, at: this.#facts.clock.now() });
        this.#phase = event.phase;
        this.#pending = { ...this.#pending, phase: event.phase };
        void this.#report();
        return;
      case 'progress':
        this.#percent = event.percent;
        this.#framesDecoded = event.framesDecoded;
        this.#pending = { ...this.#pending, percent: event.percent ?? null };
        return;
      case 'warning': {
        const warning = { code: event.code, message: event.message };
        this.#warnings.push(warning);
        this.#pending = { ...this.#pending, warnings: JSON.stringify(this.#warnings) };
        this.#events.newWarning(this.#event, warning);
        return;
      }
      case 'input':
        this.#infos[event.index] = event.info;
        if (this.#infos.filter(Boolean).length === this.#inputs.length && event.index === this.#inputs.length - 1) {
          this.#events.inputInformation(this.#event, this.#inputs, this.#infos);
        }
    }
  }

  /** Writes progress down and renews the lease; a job that is not held any more is let go. */
  async #report(): Promise<void> {
    if (this.#isOver) return;
    const now = this.#facts.clock.now();
    if (now - (this.#job.started_at ?? now) > MAX_RUNNING_MS) {
      this.#run?.cancel();
      await this.#fail(new TranscodeError(ERROR_CODES.unknown, 'The job was still running after 48 hours.'));
      return;
    }
    if (now >= this.#updateAt) {
      this.#updateAt = now + this.#interval;
      this.#events.statusUpdate(this.#event, this.#phase, this.#percent, this.#framesDecoded);
    }
    const change = { ...this.#pending, course: this.#course(), lease_until: now + LEASE_MS };
    this.#pending = {};
    if ((await this.#change(change)) === false) this.cancel();
  }

  async #fail(error: unknown): Promise<void> {
    if (this.#isAbandoned || this.#cancelled.signal.aborted || error instanceof TranscodeCancelledError) return;
    const { logger } = this.#facts;
    const isKnown = error instanceof TranscodeError;
    if (!isKnown) logger.error({ err: error, jobId: this.#job.id }, 'A MediaConvert job failed unexpectedly');
    const code = isKnown ? error.code : ERROR_CODES.unknown;
    const lacking = isKnown && PERMISSION_CODES.has(code) ? await this.#lacking(error.message) : '';
    const message = `${isKnown ? error.message : 'Unknown error'}${lacking}`.slice(0, MAX_ERROR_LENGTH);
    const isFinished = await this.#finish({ status: 'ERROR', error_code: code, error_message: message });
    if (isFinished) this.#events.error(this.#event, code, message);
  }

  /** All the permissions that the job's role lacks, so that nobody has to find them one failed job after the other. */
  async #lacking(message: string): Promise<string> {
    try {
      const settings = effectiveSettings(openRequest(this.#facts.rootKey, this.#job));
      const findings = await preflight(this.#facts, this.#job, settings);
      const isNew = ({ problem, grants }: Finding): boolean => grants.length > 0 || !message.includes(problem);
      const texts = [...new Set(findings.filter(isNew).map(findingText))];
      return texts.length === 0 ? '' : ` Missing: ${texts.join(' | ')}`;
    } catch (error) {
      this.#facts.logger.warn(
        { err: error, jobId: this.#job.id },
        'the permissions of a failed job could not be checked',
      );
      return '';
    }
  }

  /** @returns false when the job was not this runner's to finish, or that could not be written down */
  async #finish(change: JobChange): Promise<boolean> {
    if (this.#isAbandoned) return false;
    this.#isOver = true;
    const isChanged = await this.#change({
      ...this.#pending,
      ...change,
      phase: null,
      course: this.#course(),
      finished_at: this.#facts.clock.now(),
      lease_owner: null,
      lease_until: null,
    });
    return isChanged === true;
  }

  #course(): string {
    const peakMemoryBytes = this.#run?.peakMemoryBytes ?? 0;
    const course: JobCourse = { phases: this.#phases, ...(peakMemoryBytes > 0 && { peakMemoryBytes }) };
    return JSON.stringify(course);
  }

  /**
   * A failing write must not end the process: the lease then runs out, and the job begins again.
   *
   * @returns whether the job is still this runner's; `undefined` when it could not be asked
   */
  async #change(change: JobChange): Promise<boolean | undefined> {
    try {
      return await this.#facts.store.changeHeld(this.#job.id, this.#owner, change);
    } catch (error) {
      this.#facts.logger.error({ err: error, jobId: this.#job.id }, 'Could not write a MediaConvert job down');
      return undefined;
    }
  }
}
