import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import type { Frame } from 'node-av/lib';
import type { BurnInDestination } from '../caption-settings.ts';
import { CaptionTrack } from '../captions/caption-track.ts';
import { type Cue, makeCue } from '../captions/cue.ts';
import { CaptionBurner } from './caption-burner.ts';
import { captionFilters } from './caption-filters.ts';
import { optionValue } from './font.ts';
import { type FFmpeg, loadFFmpeg } from './load-ffmpeg.ts';

const PLAIN: BurnInDestination = { kind: 'burn-in', isStyleKept: true };

function trackOf(...cues: readonly (Cue | undefined)[]): CaptionTrack {
  const track = new CaptionTrack();
  track.beginPart();
  for (const cue of cues) if (cue !== undefined) track.add(cue);
  return track;
}

describe('burnt-in captions', () => {
  let ffmpeg: FFmpeg;
  let black: Frame;
  before(async () => {
    ffmpeg = await loadFFmpeg();
    const graph = new ffmpeg.FilterGraph();
    graph.alloc();
    graph.parsePtr('color=black:s=320x180,format=yuv420p,buffersink@out');
    graph.configSync();
    black = new ffmpeg.Frame();
    black.alloc();
    graph.getFilter('buffersink@out')?.buffersinkGetFrameSync(black);
    graph.free();
  });
  after(() => black.free());

  /** How many pixels are bright. */
  function brightness(frame: Frame): number {
    const [luma] = frame.data ?? [];
    return luma?.subarray(0, 320 * 180).filter((value) => value > 100).length ?? 0;
  }

  function drawn(text: string, settings: Partial<BurnInDestination> = {}): number {
    const burner = new CaptionBurner(ffmpeg, trackOf(makeCue(0, 1000, [[{ text }]])), { ...PLAIN, ...settings });
    const bright = brightness(burner.draw(black, 500));
    burner.close();
    return bright;
  }

  test('are there while they last, and the picture itself is left alone', () => {
    const burner = new CaptionBurner(ffmpeg, trackOf(makeCue(1000, 2000, [[{ text: 'Hello' }]])), PLAIN);
    assert.equal(burner.draw(black, 999), black);
    assert.ok(brightness(burner.draw(black, 1000)) > 50);
    assert.ok(brightness(burner.draw(black, 1999)) > 50);
    assert.equal(burner.draw(black, 2000), black);
    assert.equal(brightness(black), 0);
    burner.close();
  });

  test('are never anything but text, whatever they say', () => {
    const breaks = fc.constantFrom(
      "'",
      '\\',
      ':',
      ',',
      ';',
      '[',
      ']',
      '%{pts}',
      '%',
      '=',
      '{',
      '}',
      '\\:',
      "\\'",
      ' ',
      '\u0000',
      '\n',
    );
    const bad = fc.constantFrom(
      ':textfile=/etc/hostname',
      ',movie=/etc/hostname[x];[x]',
      "':fontfile=/nowhere:text='",
      'a',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(breaks, bad, fc.string()), { maxLength: 8 }), (parts) => {
        const cue = makeCue(0, 1000, [[{ text: parts.join('') }]]);
        if (cue === undefined) return;
        const burner = new CaptionBurner(ffmpeg, trackOf(cue), PLAIN);
        const picture = burner.draw(black, 10);
        assert.deepEqual([picture.width, picture.height], [320, 180]);
        burner.close();
      }),
      { numRuns: 150 },
    );
    // The text of a filter is as long as what was written, so that none of it is an option.
    const [plain, sly] = ['aaaaaaaaaaaaaaaaa', 'a:fontsize=80:x=0'].map((text) => drawn(text, { fontSize: 12 }));
    assert.ok(plain !== undefined && sly !== undefined && sly < plain * 2 && sly > plain / 4, `${plain} ${sly}`);
    assert.equal(optionValue("it's: [a]"), String.raw`it\\\'s\\: \[a\]`);
    assert.equal(optionValue('TC '), String.raw`TC\\ `);
  });

  test('take place, size, colours, boxes and shadows from their settings', () => {
    const at = (settings: Partial<BurnInDestination>, place?: Cue['place']): string =>
      captionFilters(
        [{ startMs: 0, endMs: 1, lines: [[{ text: 'Hi', color: '#00ff00' }]], ...(place && { place }) }],
        { ...PLAIN, ...settings },
        { width: 640, height: 360 },
      ).join();
    assert.match(at({}), /fontsize=20:fontcolor=0x00ff00@1\.000:x=\(w-text_w\)\/2:y=317/);
    assert.match(at({ isStyleKept: false }), /fontcolor=0xffffff/);
    assert.match(at({ fontColor: '#ff0000', isColorForWhiteOnly: true }), /fontcolor=0x00ff00/);
    assert.match(at({ fontColor: '#ff0000', fontOpacity: 0.5 }), /fontcolor=0xff0000@0\.500/);
    assert.match(at({ x: 7, y: 9 }), /:x=7:y=9:/);
    assert.match(at({ x: 7, align: 'center' }), /:x=7-text_w\/2:/);
    assert.match(at({ align: 'left' }), /:x=32:/);
    assert.match(at({}, { line: 10, position: 20, align: 'start' }), /:x=max\(0\\,min\(w-text_w\\,128\)\):y=36:/);
    assert.match(at({ backgroundColor: '#000000', backgroundOpacity: 1 }), /:box=1:boxcolor=0x000000@1\.000/);
    assert.match(
      at({ shadowColor: '#ffffff', shadowOpacity: 0.2, shadowX: -2 }),
      /:shadowcolor=0xffffff@0\.200:shadowx=-2:shadowy=2/,
    );
    assert.doesNotMatch(at({ outlineSize: 0 }), /borderw/);
    assert.match(at({ isMonospaced: true }), /DejaVuSansMono\.ttf/);
  });

  test('are broken where the picture has no room for a line', () => {
    const text = 'A long line of many words that no picture of this width has room for';
    const filters = captionFilters([{ startMs: 0, endMs: 1, lines: [[{ text }]] }], PLAIN, { width: 320, height: 180 });
    assert.ok(filters.length > 1);
    assert.ok(drawn(text) > drawn('A'));
  });
});
