import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';

export interface TransportStreamFacts {
  readonly seconds?: number;
  readonly video?: 'h264' | 'hevc' | 'mpeg2video';
  readonly audio?: 'aac' | 'ac3' | 'mp2';
  /** Bits a second of the whole, filled with null packets; without it there is no filling. */
  readonly muxRate?: number;
  /** Bits a second of the picture. */
  readonly videoRate?: number;
}

const CODECS = {
  h264: ['libx264', '-preset', 'ultrafast', '-tune', 'zerolatency'],
  hevc: ['libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none:keyint=25'],
  mpeg2video: ['mpeg2video'],
} as const;

/** An MPEG transport stream of 320x180 at 25 frames a second with stereo sound at 48 kHz, made by the ffmpeg command. */
export function makeTransportStream(facts: TransportStreamFacts = {}): Buffer {
  const { seconds = 3, video = 'h264', audio = 'aac', muxRate, videoRate = 800_000 } = facts;
  const { status, stdout, stderr } = spawnSync(
    'ffmpeg',
    [
      ...`-v error -f lavfi -i testsrc2=size=320x180:rate=25:duration=${seconds}`.split(' '),
      ...`-f lavfi -i sine=frequency=440:sample_rate=48000:duration=${seconds} -ac 2`.split(' '),
      '-c:v',
      ...CODECS[video],
      ...`-b:v ${videoRate} -g 25 -pix_fmt yuv420p -c:a ${audio}`.split(' '),
      ...(muxRate === undefined ? [] : ['-muxrate', String(muxRate)]),
      ...'-pat_period 0.1 -f mpegts pipe:1'.split(' '),
    ],
    { maxBuffer: 1024 ** 3 },
  );
  assert.equal(status, 0, stderr.toString());
  return stdout;
}
