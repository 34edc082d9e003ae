import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { CreateJobCommand, type Job } from '@aws-sdk/client-mediaconvert';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { probeMedia } from '#media/probe-media.ts';
import { makeTestVideo } from '#media/test-video.ts';
import { withoutFfmpeg } from '../harness/ffmpeg-media.ts';
import { MediaAccount } from '../harness/media-account.ts';
import { jobEnd, jobOf, mp4Group } from '../harness/media-job.ts';

/** A box of an MP4 file, with everything in it. */
function boxAt(file: Buffer, type: string, from = 0): { readonly start: number; readonly end: number } {
  const start = file.indexOf(type, from, 'latin1') - 4;
  return { start, end: start + file.readUInt32BE(start) };
}

/** The film with so many copies of its first track. */
function withTracks(film: Buffer, count: number): Buffer {
  const moov = boxAt(film, 'moov');
  const trak = boxAt(film, 'trak', moov.start);
  const copy = film.subarray(trak.start, trak.end);
  const index = Buffer.concat([film.subarray(moov.start, moov.end), ...Array.from({ length: count }, () => copy)]);
  index.writeUInt32BE(index.length, 0);
  return Buffer.concat([film.subarray(0, moov.start), film.subarray(moov.end), index]);
}

/** The film with empty tables: it has a picture's track, but no picture. */
function withoutSamples(film: Buffer): Buffer {
  const empty = Buffer.from(film);
  const counts = { stsz: 12, stco: 8, stsc: 8, stts: 8, ctts: 8, stss: 8 };
  for (const [type, offset] of Object.entries(counts)) {
    for (let at = empty.indexOf(type); at >= 0; at = empty.indexOf(type, at + 4)) empty.writeUInt32BE(0, at + offset);
  }
  return empty;
}

/** @param source as lavfi takes it */
function ffmpeg(format: string, source: string, ...options: string[]): Buffer {
  const args = ['-v', 'error', '-f', 'lavfi', '-i', source, ...options, '-c:v', 'libx264', '-f', format, 'pipe:1'];
  const { status, stdout, stderr } = spawnSync('ffmpeg', args, { maxBuffer: 2 ** 28 });
  assert.equal(status, 0, stderr.toString());
  return stdout;
}

describe('strange and hostile media', { skip: withoutFfmpeg }, () => {
  let account: MediaAccount;
  let film: Buffer;

  before(async () => {
    account = await MediaAccount.start(1, { COFFER_MEDIA_WORKERS: '2' });
    film = await makeTestVideo({ seconds: 1, width: 160, height: 90 });
  });
  after(() => account.stop());

  async function run(Key: string, Body: Buffer): Promise<Job> {
    await account.s3.send(new PutObjectCommand({ Bucket: 'source', Key, Body }));
    const groups = [mp4Group({ destination: `s3://outputs/${Key}` })];
    const { Job: job } = await account.media.send(
      new CreateJobCommand(jobOf(account.role, `s3://source/${Key}`, groups)),
    );
    return jobEnd(account.media, job?.Id);
  }

  async function failure(name: string, bytes: Buffer): Promise<string> {
    const { Status, ErrorCode, ErrorMessage } = await run(name, bytes);
    assert.equal(Status, 'ERROR');
    return `${ErrorCode} ${ErrorMessage}`;
  }

  async function success(name: string, bytes: Buffer) {
    const job = await run(name, bytes);
    assert.equal(job.Status, 'COMPLETE', String(job.ErrorMessage));
    return probeMedia(await account.download(`${name}-180p.mp4`));
  }

  it('a film is known by its content, whatever its name ends in', async () => {
    const { streams } = await success('film.txt', film);
    assert.equal(streams[0]?.codec, 'h264');
  });

  it('pictures of odd size are brought to an even one', async () => {
    const odd = ffmpeg('matroska', 'testsrc=s=321x181:r=25:d=1', '-pix_fmt', 'yuv444p');
    const { streams } = await success('odd.mkv', odd);
    assert.deepEqual([streams[0]?.width, streams[0]?.height], [320, 180]);
  });

  it('pictures at uneven times come at even ones, and none takes more or less time', async () => {
    const uneven = ffmpeg(
      'matroska',
      'testsrc=s=160x90:r=50:d=3',
      '-vf',
      "select='if(lt(t,1),1,if(lt(t,2),not(mod(n,10)),not(mod(n,3))))'",
      '-vsync',
      'vfr',
    );
    const { streams, durationSeconds = 0 } = await success('uneven.mkv', uneven);
    assert.ok(Math.abs(durationSeconds - 3) < 0.15, `${durationSeconds}`);
    const { num = 0, den = 1 } = streams[0]?.framerate ?? {};
    assert.ok([25, 30, 50, 60].includes(num / den), `${num}/${den}`);
  });

  it('a film with no pictures in it ends the job', async () => {
    assert.match(await failure('no-samples.mp4', withoutSamples(film)), /^(1010|1020|1076) /);
  });

  it('ten thousand streams end the job, and the next one runs', async () => {
    assert.match(await failure('streams.mp4', withTracks(film, 10_000)), /^1010 /);
    await success('after.mp4', film);
  });

  it('absurd sizes end the job before memory is taken for them', async () => {
    for (const size of ['W60000 H60000', 'W2147483647 H2147483647', 'W0 H0', 'W-5 H10']) {
      const picture = Buffer.from(`YUV4MPEG2 ${size} F25:1 Ip A1:1 C420jpeg\nFRAME\n${'x'.repeat(10_000)}`);
      assert.match(await failure('absurd.y4m', picture), /^(1010|1020|1030) /, size);
    }
  });

  it('a film cut anywhere ends the job or is played as far as it goes', async () => {
    const long = await makeTestVideo({ seconds: 3, width: 160, height: 90 });
    for (const part of [0.02, 0.3, 0.6]) {
      const { Status, ErrorCode, ErrorMessage } = await run(
        'cut.mp4',
        long.subarray(0, Math.floor(long.length * part)),
      );
      assert.equal(Status, 'ERROR');
      assert.ok([1010, 1020, 1030, 1076].includes(ErrorCode ?? 0), `${part}: ${ErrorCode} ${ErrorMessage}`);
    }
    const stream = ffmpeg('mpegts', 'testsrc=s=160x90:r=25:d=2', '-g', '10');
    const { durationSeconds = 0 } = await success('cut.ts', stream.subarray(0, Math.floor(stream.length / 2)));
    assert.ok(durationSeconds > 0.3 && durationSeconds < 2);
  });

  it('playlists and descriptions by any name read nothing else', async () => {
    const lists = {
      'list.mp4': '#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n',
      'list.ts': '#EXTM3U\n#EXTINF:5,\nhttp://127.0.0.1:9/secret.ts\n#EXT-X-ENDLIST\n',
      'crypto.m3u8': '#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="file:///etc/passwd"\n#EXTINF:5,\na.ts\n#EXT-X-ENDLIST\n',
      'list.txt': "ffconcat version 1.0\nfile 'subfile,,start,0,end,0,,:/etc/passwd'\n",
      'list.asx': '<asx version="3.0"><entry><ref href="file:///etc/passwd"/></entry></asx>',
      'list.sdp': 'v=0\nc=IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\na=rtpmap:96 H264/90000\n',
    };
    for (const [name, text] of Object.entries(lists)) assert.match(await failure(name, Buffer.from(text)), /^1010 /);
  });
});
