import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { testVideo } from '#test/fixtures/media/transcode-jobs.ts';
import type { VideoSettings } from '../video-settings.ts';
import { outputPicture, planPicture } from './picture-size.ts';

const square = { num: 1, den: 1 };
const hd = { width: 1920, height: 1080, pixelAspect: square };

function settings(extra: Partial<VideoSettings>): VideoSettings {
  const { width: _width, height: _height, ...rest } = testVideo(2, 2);
  return { ...rest, ...extra };
}

describe('the size of an output', () => {
  test('follows the input when neither side is given, and in proportion when one is', () => {
    assert.deepEqual(outputPicture(settings({}), hd), hd);
    assert.deepEqual(outputPicture(settings({ width: 1280 }), hd), { width: 1280, height: 720, pixelAspect: square });
    assert.deepEqual(outputPicture(settings({ height: 360 }), hd), { width: 640, height: 360, pixelAspect: square });
  });

  test('takes the shape of the pixels into account', () => {
    const pal = { width: 720, height: 576, pixelAspect: { num: 64, den: 45 } };
    const made = outputPicture(settings({ height: 576, pixelAspect: square }), pal);
    assert.deepEqual(made, { width: 1024, height: 576, pixelAspect: square });
  });

  test('shrinks to the picture with FIT, and stays small with FIT_NO_UPSCALE', () => {
    const wide = { width: 640, height: 272, pixelAspect: square };
    const fit = outputPicture(settings({ width: 1280, height: 720, scaling: 'fit' }), wide);
    assert.deepEqual([fit.width, fit.height], [1280, 544]);
    const kept = outputPicture(settings({ width: 1280, height: 720, scaling: 'fit-no-upscale' }), wide);
    assert.deepEqual([kept.width, kept.height], [640, 272]);
  });
});

describe('bringing a picture into an output', () => {
  const box = { width: 640, height: 360, pixelAspect: square };
  const tall = { width: 1080, height: 1920, pixelAspect: square };

  test('pads, stretches or crops as asked', () => {
    assert.deepEqual(planPicture(settings({ scaling: 'fit-and-pad' }), tall, box), {
      scale: { width: 202, height: 360 },
      pad: { width: 640, height: 360, x: 218, y: 0 },
    });
    assert.deepEqual(planPicture(settings({ scaling: 'stretch' }), tall, box), { scale: { width: 640, height: 360 } });
    assert.deepEqual(planPicture(settings({ scaling: 'fill' }), tall, box), {
      scale: { width: 640, height: 1138 },
      crop: { width: 640, height: 360 },
    });
  });

  test('always ends with even sides of exactly the output, for any picture', () => {
    const size = fc.integer({ min: 1, max: 8192 });
    const scaling = fc.constantFrom('fit-and-pad', 'stretch', 'fit', 'fit-no-upscale', 'fill');
    const ratio = fc.record({ num: fc.integer({ min: 1, max: 64 }), den: fc.integer({ min: 1, max: 64 }) });
    fc.assert(
      fc.property(size, size, ratio, scaling, (width, height, pixelAspect, kind) => {
        const chosen = settings({ width: 640, height: 360, pixelAspect: square, scaling: kind });
        const source = { width, height, pixelAspect };
        const output = outputPicture(chosen, source);
        const plan = planPicture(chosen, source, output);
        const last = plan.pad ?? plan.crop ?? plan.scale;
        assert.deepEqual([last.width, last.height], [output.width, output.height]);
        for (const side of [plan.scale.width, plan.scale.height, last.width, last.height]) {
          assert.ok(side >= 2 && side % 2 === 0, `${side}`);
        }
        if (plan.crop !== undefined) assert.ok(plan.scale.width >= last.width && plan.scale.height >= last.height);
        if (plan.pad !== undefined) {
          assert.ok(plan.pad.x + plan.scale.width <= last.width && plan.pad.y + plan.scale.height <= last.height);
        }
      }),
    );
  });
});
