import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { withoutFfmpeg } from '#test/harness/ffmpeg-media.ts';
import type { SourcePlace } from './ffmpeg/media-source.ts';
import type { Frame } from './matroska/read-frames.ts';
import { RemuxedSource } from './remux-source.ts';
import { SourceError } from './source-error.ts';
import { makeTestVideo } from './test-video.ts';

interface Remuxed {
  readonly codecs: readonly string[];
  readonly tracks: RemuxedSource['header']['tracks'];
  readonly frames: readonly Frame[];
}

async function remux(place: SourcePlace, withAudio = true): Promise<Remuxed> {
  const source = await RemuxedSource.open(place, { withAudio });
  try {
    return { codecs: source.codecs, tracks: source.header.tracks, frames: await Array.fromAsync(source.frames()) };
  } finally {
    await source.close();
  }
}

const payloads = ({ frames }: Remuxed, track: number): string[] =>
  frames.filter((frame) => frame.track === track).map(({ payload }) => payload.toString('hex'));

function convert(from: string, options: readonly string[], to: string, tool = 'ffmpeg'): void {
  assert.equal(spawnSync(tool, ['-v', 'error', '-i', from, ...options, to]).status, 0);
}

describe('RemuxedSource', () => {
  let folder: string;
  let film: string;
  let plain: Remuxed;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'coffer-remux-'));
    film = join(folder, 'film.mp4');
    writeFileSync(film, await makeTestVideo({ seconds: 2, width: 160, height: 120 }));
    plain = await remux({ kind: 'file', path: film });
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('gives the frames of a file as they are, with what players need to know of them', () => {
    assert.deepEqual(plain.codecs, ['h264', 'aac']);
    const [video, audio] = plain.tracks;
    assert.deepEqual([video?.codecId, video?.video], ['V_MPEG4/ISO/AVC', { width: 160, height: 120 }]);
    assert.equal(video?.codecPrivate?.[0], 1, 'an AVC configuration');
    assert.deepEqual([audio?.codecId, audio?.audio?.sampleRate], ['A_AAC', 48_000]);
    assert.equal(plain.frames.filter(({ track }) => track === 1).length, 60);
    assert.deepEqual(plain.frames.find(({ track }) => track === 1)?.isKeyframe, true);
  });

  it('reads a stream that comes in drops, and leaves the sound out when told', async () => {
    const bytes = await makeTestVideo({ seconds: 2, width: 160, height: 120 });
    const drops = Array.from({ length: Math.ceil(bytes.length / 777) }, (_, index) =>
      bytes.subarray(index * 777, (index + 1) * 777),
    );
    const dropped = await remux({ kind: 'stream', stream: Readable.from(drops) }, false);
    assert.deepEqual(dropped.codecs, ['h264']);
    assert.deepEqual(payloads(dropped, 1), payloads(plain, 1));
  });

  it('ends a stream that waits for bytes when it is interrupted', async () => {
    const bytes = await makeTestVideo({ seconds: 2, width: 160, height: 120 });
    const stream = new Readable({ read: () => undefined });
    stream.push(bytes);
    const source = await RemuxedSource.open({ kind: 'stream', stream }, { withAudio: true });
    const frames: Frame[] = [];
    // By then all that there is was read.
    const timer = setTimeout(() => source.interrupt(), 300);
    for await (const frame of source.frames()) frames.push(frame);
    clearTimeout(timer);
    await source.close();
    assert.ok(frames.length >= 100);
    assert.ok(stream.destroyed);
  });

  it('brings MPEG-TS into the form of Matroska', { skip: withoutFfmpeg }, async () => {
    const path = join(folder, 'film.ts');
    convert(film, ['-c', 'copy'], path);
    const fromTs = await remux({ kind: 'file', path });
    const [video, audio] = fromTs.tracks;
    assert.equal(video?.codecPrivate?.[0], 1, 'an AVC configuration, from the parameter sets in the stream');
    assert.equal(audio?.codecPrivate?.toString('hex'), '1190', 'AAC-LC, 48 kHz, stereo: from the packets’ own headers');
    assert.deepEqual(payloads(fromTs, 2).slice(1), payloads(plain, 2).slice(1), 'without ADTS headers');
    const [first = ''] = payloads(fromTs, 1);
    assert.equal(Number.parseInt(first.slice(0, 8), 16) < first.length / 2, true, 'units with their lengths in front');
  });

  it('takes G.711', { skip: withoutFfmpeg }, async () => {
    const path = join(folder, 'phone.mov');
    const codecs = ['-c:v', 'copy', '-c:a', 'pcm_mulaw', '-ar', '8000', '-ac', '1'];
    convert(film, codecs, path);
    const phone = await remux({ kind: 'file', path });
    assert.equal(phone.tracks[1]?.codecId, 'A_MS/ACM');
    assert.equal(phone.tracks[1]?.codecPrivate?.readUInt16LE(0), 7, 'a WAVEFORMATEX for mu-law');
  });

  it('reads no other file than the one it was told', async () => {
    for (const [name, text] of [
      ['playlist.m3u8', '#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfilm.mp4\n#EXT-X-ENDLIST\n'],
      ['script.ffconcat', 'ffconcat version 1.0\nfile film.mp4\n'],
      ['session.sdp', 'v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n'],
    ] as const) {
      const path = join(folder, name);
      writeFileSync(path, text);
      await assert.rejects(remux({ kind: 'file', path }), SourceError, name);
      await assert.rejects(remux({ kind: 'stream', stream: Readable.from([Buffer.from(text)]) }), SourceError, name);
    }
  });

  it('refuses what is no media', async () => {
    const path = join(folder, 'text.txt');
    writeFileSync(path, 'no media\n'.repeat(1000));
    await assert.rejects(remux({ kind: 'file', path }), SourceError);
    await assert.rejects(remux({ kind: 'stream', stream: Readable.from([]) }), SourceError);
    await assert.rejects(remux({ kind: 'file', path: join(folder, 'none') }), /No such file/);
  });
});
