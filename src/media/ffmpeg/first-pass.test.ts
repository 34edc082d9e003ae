import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testVideoH265 } from '#test/fixtures/media/transcode-jobs.ts';
import type { VideoSettings } from '../video-settings.ts';
import { lookAtFilms, needsFirstPass, secondPass } from './first-pass.ts';

const FRAMES = 300;
const framerate = { num: 30, den: 1 };

/** The bits of a grainy film: half as many every 2.8 steps, and no more than the buffer lets through. */
function grain({ factor, maxBitrate = Number.POSITIVE_INFINITY }: { factor: number; maxBitrate?: number }): number {
  const wanted = 112_000 * 2 ** ((27 - factor) / 2.8);
  // Half of the film is the grain; the buffer holds it down.
  return wanted / 2 + Math.min(wanted / 2, maxBitrate * 0.5);
}

function factorOf(video: VideoSettings): { readonly factor: number; readonly maxBitrate?: number } {
  const { codec } = video;
  assert.ok(codec.kind === 'h265' && codec.rateControl.mode === 'factor');
  return codec.rateControl;
}

test('a grainy film comes to its average, by as many looks at it as that takes', () => {
  for (const bitrate of [60_000, 112_000, 300_000, 900_000]) {
    const rateControl = { mode: 'vbr', bitrate, maxBitrate: bitrate * 2 } as const;
    const video = testVideoH265(160, 90, { isMultiPass: true, rateControl });
    assert.ok(needsFirstPass(video));
    let count = 0;
    const passes = lookAtFilms([video], (looks) => {
      count += 1;
      for (const look of looks) {
        for (let frame = 0; frame < FRAMES; frame += 1) look.take(grain(factorOf(look.settings)) / 30);
      }
      return looks.map(() => framerate);
    });
    const pass = passes.get(video);
    assert.ok(pass !== undefined && count <= 4);
    const came = grain(secondPass(video, pass, framerate).rateControl);
    assert.ok(Math.abs(came / bitrate - 1) < 0.1, `${bitrate}: ${came} after ${count}`);
  }
});

test('films of no pictures end, too', () => {
  const rateControl = { mode: 'vbr', bitrate: 100_000 } as const;
  const video = testVideoH265(160, 90, { isMultiPass: true, rateControl });
  assert.ok(needsFirstPass(video));
  let count = 0;
  lookAtFilms([video], (looks) => {
    count += 1;
    return looks.map(() => framerate);
  });
  assert.ok(count <= 4);
});
