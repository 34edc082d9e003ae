import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { withoutFfmpeg } from '#test/harness/ffmpeg-media.ts';
import { at, PictureJobs } from '#test/harness/picture-jobs.ts';
import { assertColor, colorOf, ffmpeg } from '#test/harness/pixels.ts';

let jobs: PictureJobs;

const [RED, BLUE] = [
  [255, 0, 0],
  [0, 0, 255],
];

/** Two programs, 7 (red) and 9 (blue), whose packets are mixed; the second comes first where streams are counted. */
function twoPrograms(): Buffer {
  const sources = ['blue', 'red'].flatMap((color) => ['-f', 'lavfi', '-i', `color=${color}:size=160x90:rate=25`]);
  const programs = ['-program', 'program_num=7:st=1', '-program', 'program_num=9:st=0'];
  const args = ['-v', 'error', ...sources, '-t', '1', '-map', '0', '-map', '1', '-c:v', 'mpeg2video', ...programs];
  return ffmpeg([...args, '-f', 'mpegts', 'pipe:1']);
}

/** The same without any table. */
function withoutTables(stream: Buffer): Buffer {
  const packets: Buffer[] = [];
  for (let from = 0; from + 188 <= stream.length; from += 188) {
    const packet = stream.subarray(from, from + 188);
    const pid = packet.readUInt16BE(1) & 0x1fff;
    if (pid >= 0x100) packets.push(packet);
  }
  return Buffer.concat(packets);
}

before(async () => {
  jobs = await PictureJobs.start();
  const stream = twoPrograms();
  await jobs.put('programs.ts', stream);
  await jobs.put('tableless.ts', withoutTables(stream));
});

after(() => jobs.stop());

describe('transport streams with several programs', { skip: withoutFfmpeg }, () => {
  const shown = async (key: string, input: object): Promise<readonly number[]> =>
    colorOf(await jobs.film(key, input, { Width: 160, Height: 90 }), 5, at(80, 45));

  test('the program that is named is used, else the first one of the table', async () => {
    assertColor(await shown('programs.ts', { ProgramNumber: 9 }), BLUE, 'program 9');
    assertColor(await shown('programs.ts', { ProgramNumber: 7 }), RED, 'program 7');
    assertColor(await shown('programs.ts', { VideoSelector: { ProgramNumber: 9 } }), BLUE, 'the selector’s program 9');
    assertColor(await shown('programs.ts', {}), RED, 'the first program');
    assertColor(await shown('programs.ts', { ProgramNumber: 1234 }), RED, 'one that is not there');
  });

  test('IGNORE_PSI finds streams that no table names', async () => {
    assertColor(await shown('tableless.ts', { PsiControl: 'IGNORE_PSI' }), BLUE, 'the first stream');
  });

  test('two different programs for one input are refused', async () => {
    await assert.rejects(
      jobs.run('programs.ts', { ProgramNumber: 9, VideoSelector: { ProgramNumber: 7 } }, [{}]),
      /\/inputs\/0\/videoSelector\/programNumber: Should be the programNumber of the input/,
    );
  });
});
