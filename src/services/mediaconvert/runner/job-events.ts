import type { StatusUpdateInterval } from '@aws-sdk/client-mediaconvert';
import type { Clock } from '#kernel/clock.ts';
import type { EventSink } from '#kernel/event-sink.ts';
import type { MediaInfo, StreamInfo } from '#media/transcode-report.ts';
import { countWarnings, type JobWarning } from '../domain/job-warnings.ts';
import { jobArn, queueArn } from '../domain/names.ts';
import type { WrittenGroup } from '../domain/written-group.ts';
import type { JobRecord } from '../store.ts';

/** What events say of a job besides what happened to it. */
export interface EventJob
  extends Pick<JobRecord, 'id' | 'account' | 'region' | 'current_queue' | 'current_priority' | 'attempts'> {
  readonly userMetadata: Readonly<Record<string, string>>;
}

const PHASES = ['PROBING', 'TRANSCODING', 'UPLOADING'] as const;

/** Tells what happens to jobs, in the words in which MediaConvert tells EventBridge. */
export class JobEvents {
  readonly #sink: EventSink;
  readonly #clock: Clock;

  constructor(sink: EventSink, clock: Clock) {
    this.#sink = sink;
    this.#clock = clock;
  }

  progressing(job: EventJob): void {
    this.#put(job, 'PROGRESSING', {});
  }

  /** @param uris of the inputs, in the order of `infos` */
  inputInformation(job: EventJob, uris: readonly string[], infos: readonly MediaInfo[]): void {
    const inputDetails = infos.map((info, index) => ({
      id: index + 1,
      uri: uris[index] ?? '',
      audio: info.streams.filter(({ kind }) => kind === 'audio').map(audioOf),
      video: info.streams.filter(({ kind }) => kind === 'video').map(videoOf),
    }));
    this.#put(job, 'INPUT_INFORMATION', { inputDetails });
  }

  /** @param percent of the whole job, where it is known */
  statusUpdate(job: EventJob, phase: string, percent: number | undefined, framesDecoded: number): void {
    const at = PHASES.findIndex((name) => name === phase);
    const phaseProgress = Object.fromEntries(
      PHASES.map((name, index) => {
        const status = index < at ? 'COMPLETE' : index === at ? 'PROGRESSING' : 'PENDING';
        const done = index < at ? 100 : name === 'TRANSCODING' && index === at ? (percent ?? 0) : 0;
        return [name, { status, percentComplete: done }];
      }),
    );
    this.#put(job, 'STATUS_UPDATE', {
      framesDecoded,
      jobProgress: {
        phaseProgress,
        ...(percent !== undefined && { jobPercentComplete: percent }),
        currentPhase: phase,
        retryCount: Math.max(0, job.attempts - 1),
      },
    });
  }

  newWarning(job: EventJob, { code, message }: JobWarning): void {
    this.#put(job, 'NEW_WARNING', { warningCode: code, warningMessage: message });
  }

  complete(job: EventJob, groups: readonly WrittenGroup[], warnings: readonly JobWarning[]): void {
    this.#put(job, 'COMPLETE', {
      warnings: countWarnings(warnings).map(({ Code, Count }) => ({ code: Code, count: Count })),
      outputGroupDetails: groups,
    });
  }

  error(job: EventJob, code: number, message: string): void {
    this.#put(job, 'ERROR', { errorCode: code, errorMessage: message });
  }

  canceled(job: EventJob): void {
    this.#put(job, 'CANCELED', {});
  }

  /** @param before the name of the queue that the job has left, and its priority there */
  queueHop(job: EventJob, before: { readonly queue: string; readonly priority: number }): void {
    this.#put(job, 'QUEUE_HOP', {
      previousQueue: queueArn(job, before.queue),
      priority: job.current_priority,
      previousPriority: before.priority,
    });
  }

  #put(job: EventJob, status: string, more: Readonly<Record<string, unknown>>): void {
    const { id, account, region, userMetadata } = job;
    this.#sink.put({
      source: 'aws.mediaconvert',
      'detail-type': 'MediaConvert Job State Change',
      account,
      region,
      resources: [jobArn(job, id)],
      detail: {
        timestamp: this.#clock.now(),
        accountId: account,
        queue: queueArn(job, job.current_queue),
        jobId: id,
        status,
        userMetadata,
        ...more,
      },
    });
  }
}

function audioOf(stream: StreamInfo) {
  return {
    channels: stream.channels ?? 0,
    codec: stream.codec.toUpperCase(),
    language: (stream.language ?? 'und').toUpperCase(),
    sampleRate: stream.sampleRate ?? 0,
    streamId: stream.index + 1,
  };
}

function videoOf(stream: StreamInfo) {
  const { framerate, pixelAspect = { num: 1, den: 1 } } = stream;
  return {
    codec: stream.codec.toUpperCase(),
    ...(framerate !== undefined && { frameRate: Math.round((framerate.num / framerate.den) * 1000) / 1000 }),
    height: stream.height ?? 0,
    sar: `${pixelAspect.num}:${pixelAspect.den}`,
    streamId: stream.index + 1,
    width: stream.width ?? 0,
  };
}

const DEFAULT_INTERVAL_MS = 60_000;

/** `SECONDS_12` → 12000. */
export function intervalOf(interval: StatusUpdateInterval | undefined): number {
  const seconds = Number(/^SECONDS_(\d+)$/.exec(interval ?? '')?.[1]);
  return Number.isNaN(seconds) ? DEFAULT_INTERVAL_MS : seconds * 1000;
}
