import {
  type DASHPlaybackMode,
  GetDASHStreamingSessionURLCommand,
  GetHLSStreamingSessionURLCommand,
  KinesisVideoArchivedMediaClient,
} from '@aws-sdk/client-kinesis-video-archived-media';
import { type CommandLineOptions, ConfigError } from '../config.ts';
import { KvsTarget } from '../kvs/kvs-target.ts';
import { readTime } from '../read-time.ts';

interface PlayOptions extends CommandLineOptions {
  readonly from?: string;
  readonly to?: string;
  readonly dash?: boolean;
  readonly expires?: string;
}

/** The shortest and the longest life of an address, in seconds. */
const EXPIRES = { from: 300, to: 43_200 } as const;
const DEFAULT_EXPIRES = 3600;

/** Prints the address under which a player finds the stream. Who has the address can watch. */
export async function kvsPlay(stream: string, options: PlayOptions): Promise<void> {
  const expires = readExpires(options.expires);
  const { mode, range } = readRange(options, Date.now());
  const target = await KvsTarget.find(stream, options, process.env);
  try {
    console.log(await sessionUrl(target, mode, range, expires, options.dash === true));
  } finally {
    target.close();
  }
}

interface TimeRange {
  readonly StartTimestamp: Date;
  readonly EndTimestamp?: Date;
}

async function sessionUrl(
  target: KvsTarget,
  mode: DASHPlaybackMode,
  range: TimeRange | undefined,
  expires: number,
  isDash: boolean,
): Promise<string> {
  const api = isDash ? 'GET_DASH_STREAMING_SESSION_URL' : 'GET_HLS_STREAMING_SESSION_URL';
  const endpoint = await target.dataEndpoint(api);
  const client = new KinesisVideoArchivedMediaClient({ ...target.settings, endpoint });
  const selector = range && { FragmentSelectorType: 'SERVER_TIMESTAMP' as const, TimestampRange: range };
  const input = { ...target.stream, PlaybackMode: mode, Expires: expires };
  try {
    const { DASHStreamingSessionURL, HLSStreamingSessionURL } = isDash
      ? {
          ...(await client.send(
            new GetDASHStreamingSessionURLCommand({ ...input, ...(selector && { DASHFragmentSelector: selector }) }),
          )),
          HLSStreamingSessionURL: undefined,
        }
      : {
          ...(await client.send(
            new GetHLSStreamingSessionURLCommand({ ...input, ...(selector && { HLSFragmentSelector: selector }) }),
          )),
          DASHStreamingSessionURL: undefined,
        };
    return DASHStreamingSessionURL ?? HLSStreamingSessionURL ?? '';
  } finally {
    client.destroy();
  }
}

function readRange(options: PlayOptions, now: number): { mode: DASHPlaybackMode; range: TimeRange | undefined } {
  const { from, to } = options;
  if (from === undefined) {
    if (to !== undefined) throw new ConfigError('--to goes with --from.');
    return { mode: 'LIVE', range: undefined };
  }
  const StartTimestamp = new Date(readTime('--from', from, now));
  if (to === undefined) return { mode: 'LIVE_REPLAY', range: { StartTimestamp } };
  return { mode: 'ON_DEMAND', range: { StartTimestamp, EndTimestamp: new Date(readTime('--to', to, now)) } };
}

function readExpires(text: string | undefined): number {
  if (text === undefined) return DEFAULT_EXPIRES;
  const seconds = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (seconds >= EXPIRES.from && seconds <= EXPIRES.to) return seconds;
  throw new ConfigError(`--expires is a number of seconds from ${EXPIRES.from} to ${EXPIRES.to}, not '${text}'.`);
}
