import { setTimeout as delay } from 'node:timers/promises';
import { FragmentWriter, MissingTrackError } from '#media/matroska/fragment-writer.ts';
import { RemuxedSource } from '#media/remux-source.ts';
import { SourceError } from '#media/source-error.ts';
import { type CommandLineOptions, ConfigError } from '../config.ts';
import { createStreamIfMissing } from '../kvs/create-stream.ts';
import { FragmentUpload } from '../kvs/fragment-upload.ts';
import { KvsTarget } from '../kvs/kvs-target.ts';
import { readSource } from '../kvs/source-place.ts';
import { type Progress, showProgress } from '../progress.ts';
import { readTime } from '../read-time.ts';

interface PutOptions extends CommandLineOptions {
  readonly create?: boolean;
  readonly retention?: string;
  readonly kmsKey?: string;
  readonly asFastAsPossible?: boolean;
  /** False with `--no-audio`. */
  readonly audio: boolean;
  readonly start?: string;
}

const DEFAULT_RETENTION_HOURS = 24;
const MAXIMUM_RETENTION_HOURS = 87_600;

/** Sends a file, standard input or a camera into a stream. The exit status is 0 when all of it was acknowledged. */
export async function kvsPut(stream: string, sourceName: string, options: PutOptions): Promise<void> {
  const newStream = readNewStream(options);
  const now = Date.now();
  const startedAt = options.start === undefined ? undefined : readTime('--start', options.start, now);
  const { place, isLive } = await readSource(sourceName, process.env);
  const target = await KvsTarget.find(stream, options, process.env);
  const source = await RemuxedSource.open(place, { withAudio: options.audio });
  const stopping = new AbortController();
  const forget = onInterrupt(() => {
    stopping.abort();
    source.interrupt();
  });
  const progress = showProgress();
  try {
    if (newStream !== undefined) {
      const isNew = await createStreamIfMissing(target, { ...newStream, codecs: source.codecs });
      if (!isNew) console.error(`coffer: the stream ${stream} is there already, and is used as it is`);
    }
    const upload = new FragmentUpload({
      target,
      header: source.header.bytes,
      // A camera has begun before it could be looked at.
      startedAt: startedAt ?? (isLive ? now : Date.now()),
      onAcknowledgement: (line) => {
        progress.clear();
        console.log(line);
      },
    });
    const isPaced = !isLive && options.asFastAsPossible !== true;
    await sendAll(source, upload, { isPaced, isUrgent: isPaced || isLive, signal: stopping.signal, progress });
  } finally {
    progress.clear();
    forget();
    target.close();
    await source.close();
  }
}

interface Sending {
  /** True sends each frame at its time. */
  readonly isPaced: boolean;
  readonly isUrgent: boolean;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

async function sendAll(source: RemuxedSource, upload: FragmentUpload, facts: Sending): Promise<void> {
  const { isPaced, isUrgent, signal, progress } = facts;
  const [lead, ...others] = source.header.tracks.map(({ number }) => number);
  if (lead === undefined) throw new SourceError('The source has neither picture nor sound.');
  const writer = new FragmentWriter(lead, others);
  const begun = performance.now();
  let problem: Error | undefined;
  try {
    for await (const frame of source.frames()) {
      for (const piece of writer.add(frame)) {
        if (isPaced) await waitUntil(begun + piece.timeMs, signal);
        await upload.send(piece, isUrgent);
        progress.update(`${(piece.timeMs / 1000).toFixed(1)} s sent, fragments acknowledged`, upload.acknowledged);
      }
    }
  } catch (error) {
    if (error instanceof MissingTrackError) problem = trackProblem(source, error, lead);
    else if (error instanceof SourceError) problem = error;
    else {
      upload.destroy();
      throw error;
    }
  }
  // What was read is sent, also when the source broke off.
  for (const piece of writer.end()) await upload.send(piece, isUrgent);
  await upload.end();
  if (problem !== undefined) throw problem;
  if (upload.sent === 0) throw new SourceError('The source has no keyframe: nothing was sent.');
}

function trackProblem(source: RemuxedSource, { track }: MissingTrackError, lead: number): SourceError {
  const isPicture = track === lead && source.header.tracks.length > 1;
  return new SourceError(
    `The ${isPicture ? 'picture' : 'sound'} stops while the ${isPicture ? 'sound' : 'picture'} goes on: Kinesis Video ` +
      `Streams takes no fragment that lacks a track. ${isPicture ? '' : '--no-audio sends the picture alone. '}`.trim(),
  );
}

async function waitUntil(time: number, signal: AbortSignal): Promise<void> {
  const wait = time - performance.now();
  if (wait <= 0 || signal.aborted) return;
  await delay(wait, undefined, { signal }).catch(() => undefined);
}

/** Calls back at the first signal to end; a second one ends the process at once. */
function onInterrupt(work: () => void): () => void {
  let isFirst = true;
  const listener = (): void => {
    if (!isFirst) process.exit(130);
    isFirst = false;
    work();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, listener);
  return () => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, listener);
  };
}

function readNewStream(options: PutOptions): { retentionHours: number; kmsKey: string | undefined } | undefined {
  const { create, retention, kmsKey } = options;
  if (create !== true) {
    if (retention === undefined && kmsKey === undefined) return undefined;
    throw new ConfigError('--retention and --kms-key are about a new stream: they go with --create.');
  }
  if (retention === undefined) return { retentionHours: DEFAULT_RETENTION_HOURS, kmsKey };
  const hours = /^\d{1,6}$/.test(retention) ? Number(retention) : -1;
  if (hours >= 0 && hours <= MAXIMUM_RETENTION_HOURS) return { retentionHours: hours, kmsKey };
  throw new ConfigError(
    `--retention is a whole number of hours from 0 to ${MAXIMUM_RETENTION_HOURS}, not '${retention}'.`,
  );
}
