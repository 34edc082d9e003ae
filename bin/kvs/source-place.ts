import { stat } from 'node:fs/promises';
import type { SourcePlace } from '#media/ffmpeg/media-source.ts';
import { ConfigError } from '../config.ts';

const SCHEMES: readonly string[] = [
  'rtsp:',
  'rtsps:',
  'rtmp:',
  'rtmps:',
  'srt:',
  'udp:',
  'rtp:',
  'tcp:',
  'http:',
  'https:',
];
/** They come as fast as they are made; a file that is fetched does not. */
const LIVE_SCHEMES: ReadonlySet<string> = new Set(SCHEMES.filter((scheme) => !scheme.startsWith('http')));

/** A source, and whether it sets its own pace. */
export interface NamedSource {
  readonly place: SourcePlace;
  readonly isLive: boolean;
}

/**
 * What the operator names: a file, `-`, an address, or `env:NAME` for an address in a variable.
 *
 * @throws ConfigError for what is none of these, and for an address with a password: everybody on the machine can read
 *   a process's arguments
 */
export async function readSource(text: string, environment: NodeJS.ProcessEnv): Promise<NamedSource> {
  if (text === '-') return { place: { kind: 'stream', stream: process.stdin }, isLive: false };
  const variable = /^env:(\w+)$/.exec(text)?.[1];
  if (variable !== undefined) {
    const url = environment[variable];
    if (url === undefined || url === '') throw new ConfigError(`The variable ${variable} is not set.`);
    return readAddress(url, `The variable ${variable} has no address`);
  }
  if (/^[a-z][a-z\d+.-]*:\/\//i.test(text)) {
    const { password } = URL.parse(text) ?? { password: '' };
    if (password !== '') {
      throw new ConfigError(
        'The address has a password, which others on this machine could read. Put it into a variable: ' +
          'CAMERA=rtsp://… coffer kvs put STREAM env:CAMERA',
      );
    }
    return readAddress(text, `'${text}' is no address`);
  }
  const found = await stat(text);
  if (found.isDirectory()) throw new ConfigError(`${text} is a folder.`);
  return { place: { kind: 'file', path: text }, isLive: false };
}

/** The address itself is in no message: it may hold a password. */
function readAddress(url: string, problem: string): NamedSource {
  const protocol = URL.parse(url)?.protocol ?? '';
  if (!SCHEMES.includes(protocol)) {
    throw new ConfigError(`${problem} that can be read; it begins with ${SCHEMES.join('//, ')}//.`);
  }
  return { place: { kind: 'address', url }, isLive: LIVE_SCHEMES.has(protocol) };
}
