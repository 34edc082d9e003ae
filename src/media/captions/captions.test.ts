import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { CaptionError } from './caption-error.ts';
import { textFragment } from '../packaging/mp4/text-track.ts';
import { CaptionTrack } from './caption-track.ts';
import { Cea608Decoder } from './cea608-decoder.ts';
import { type Cue, makeCue, plainLines, withoutOverlaps } from './cue.ts';
import { decodeText } from './decode-text.ts';
import { readCaptions } from './read-captions.ts';
import { parseScc, writeScc } from './scc.ts';
import { parseSmi, writeSmi } from './smi.ts';
import { parseSrt, writeSrt } from './srt.ts';
import { parseStl } from './stl.ts';
import { parseTtml } from './ttml-parser.ts';
import { writeTtml } from './ttml-writer.ts';
import { parseWebVtt } from './webvtt-parser.ts';
import { writeWebVtt } from './webvtt-writer.ts';

const word = fc.stringMatching(/^[a-zA-Z0-9.,!?'éñ]{1,9}$/);
const phrase = fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => words.join(' '));
const style = fc.record(
  {
    isItalic: fc.constant(true as const),
    isUnderlined: fc.constant(true as const),
    color: fc.constantFrom('#ffff00', '#ff0000', '#00ffff'),
  },
  { requiredKeys: [] },
);
const line = fc.tuple(phrase, style).map(([text, look]) => [{ text, ...look }]);
/** Captions one after another, with time to load each before it is shown. */
const sequence = fc
  .array(
    fc.tuple(
      fc.integer({ min: 6000, max: 20_000 }),
      fc.integer({ min: 1000, max: 5000 }),
      fc.array(line, { minLength: 1, maxLength: 2 }),
    ),
    {
      maxLength: 6,
    },
  )
  .map((entries) => {
    let at = 0;
    return entries.flatMap(([wait, length, lines]) => {
      const startMs = at + wait;
      at = startMs + length;
      return makeCue(startMs, at, lines) ?? [];
    });
  });

const shown = (cues: readonly Cue[]) => cues.map(({ startMs, endMs, lines }) => ({ startMs, endMs, lines }));

describe('captions that are written and read again are the same', () => {
  const forms: readonly (readonly [string, (cues: readonly Cue[]) => Cue[]])[] = [
    ['SRT', (cues) => (cues.length === 0 ? [] : parseSrt(writeSrt(cues)))],
    ['WebVTT', (cues) => parseWebVtt(writeWebVtt(cues))],
    ['TTML', (cues) => parseTtml(writeTtml(cues, { profile: 'ttml' }))],
    ['IMSC', (cues) => parseTtml(writeTtml(cues, { profile: 'imsc', language: 'eng' }))],
    ['SAMI', (cues) => (cues.length === 0 ? [] : parseSmi(writeSmi(cues, 'eng')))],
  ];
  for (const [name, again] of forms) {
    test(name, () => {
      fc.assert(fc.property(sequence, (cues) => assert.deepEqual(shown(again(cues)), shown(cues))));
    });
  }

  test('SCC, to the picture', () => {
    const rate = { num: 30_000, den: 1001 };
    for (const isDropFrame of [true, false]) {
      fc.assert(
        fc.property(sequence, (cues) => {
          const again = parseScc(writeScc(cues, { framerate: rate, isDropFrame }), { isPaintConverted: false });
          assert.deepEqual(again.map(plainLines), cues.map(plainLines));
          again.forEach((cue, index) => {
            assert.ok(Math.abs(cue.startMs - (cues[index]?.startMs ?? 0)) < 17, 'begins at its picture');
            assert.ok(Math.abs(cue.endMs - (cues[index]?.endMs ?? 0)) < 51, 'ends at its picture');
            assert.deepEqual(
              cue.lines.map((spans) => spans.map(({ isItalic, isUnderlined }) => ({ isItalic, isUnderlined }))),
              cues[index]?.lines.map((spans) =>
                spans.map(({ isItalic, isUnderlined }) => ({ isItalic, isUnderlined })),
              ),
            );
          });
        }),
      );
    }
  });

  test('places, in the forms that have them', () => {
    const place = fc
      .record({
        line: fc.integer({ min: 1, max: 99 }),
        lineAnchor: fc.constantFrom('middle' as const, 'bottom' as const),
        position: fc.integer({ min: 1, max: 49 }),
        align: fc.constantFrom('start' as const, 'end' as const),
      })
      .map((where) => ({ ...where }));
    fc.assert(
      fc.property(place, (where) => {
        const cue = makeCue(0, 1000, [[{ text: 'Here' }]], where);
        assert.ok(cue);
        for (const again of [parseWebVtt(writeWebVtt([cue])), parseTtml(writeTtml([cue], { profile: 'ttml' }))]) {
          assert.deepEqual(again[0]?.place, where);
        }
      }),
    );
  });
});

describe('SRT', () => {
  test('is read as it is found: commas or points, missing blank lines, tags, times before the beginning', () => {
    const cues = parseSrt(
      [
        '\ufeff1',
        '00:00:01,000 --> 00:00:02.5 X1:10',
        '<i>One</i> &amp; <font color="yellow">two</font>',
        '2',
        '00:00:03,000 --> 00:00:04,000',
        '{\\an8}{\\fad(1,2)}a < b <unknown>',
        '',
        'garbage',
        '-00:00:02,000 --> -00:00:01,000',
        'never',
      ].join('\n'),
    );
    assert.deepEqual(shown(cues), [
      {
        startMs: 1000,
        endMs: 2500,
        lines: [[{ text: 'One', isItalic: true }, { text: ' &amp; ' }, { text: 'two', color: '#ffff00' }]],
      },
      { startMs: 3000, endMs: 4000, lines: [[{ text: 'a < b <unknown>' }]] },
    ]);
    assert.deepEqual(cues[1]?.place, { line: 5, lineAnchor: 'top' });
  });
});

describe('WebVTT', () => {
  test('passes over comments, styles and regions, and reads settings, classes and references', () => {
    const cues = parseWebVtt(
      [
        'WEBVTT - a title',
        'X-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000',
        '',
        'NOTE one --> two',
        '',
        'STYLE',
        '::cue { color: red }',
        '',
        'REGION',
        'id:fred',
        '',
        'name',
        '01:01.500 --> 00:01:02.000 line:-1 position:20%,line-left align:left region:fred',
        '<v.loud Ann>Hi &lt;<c.yellow.bg_black>there</c> <00:01:01.700>now&nbsp;&#9834;',
        '',
      ].join('\n'),
    );
    assert.deepEqual(cues, [
      {
        startMs: 61_500,
        endMs: 62_000,
        lines: [[{ text: 'Hi <' }, { text: 'there', color: '#ffff00' }, { text: ' now\u00a0♪' }]],
        place: { line: 100, lineAnchor: 'bottom', position: 20, align: 'start' },
      },
    ]);
  });
});

describe('TTML', () => {
  test('has times in frames, ticks and offsets, nested, with styles by reference', () => {
    const cues = parseTtml(`<?xml version="1.0"?>
      <tt:tt xmlns:tt="http://www.w3.org/ns/ttml" xmlns:tts="http://www.w3.org/ns/ttml#styling" ttp:frameRate="25" ttp:tickRate="1000">
        <tt:head><tt:styling><tt:style xml:id="base" tts:color="lime"/><tt:style xml:id="i" style="base" tts:fontStyle="italic"/></tt:styling>
        <tt:layout><tt:region xml:id="top" tts:origin="10% 5%" tts:extent="80% 20%" tts:textAlign="center"/></tt:layout></tt:head>
        <tt:body begin="10s"><tt:div>
          <tt:p begin="00:00:01:05" end="2500t" region="top"> One
             <tt:span style="i">two</tt:span><tt:br/>three &amp; four</tt:p>
          <tt:p begin="4s" dur="2s"><tt:span begin="0s" end="1s">first</tt:span> <tt:span begin="1s">second</tt:span></tt:p>
        </tt:div></tt:body></tt:tt>`);
    assert.deepEqual(cues, [
      {
        startMs: 11_200,
        endMs: 12_500,
        lines: [[{ text: 'One ' }, { text: 'two', isItalic: true, color: '#00ff00' }], [{ text: 'three & four' }]],
        place: { line: 5 },
      },
      { startMs: 14_000, endMs: 15_000, lines: [[{ text: 'first' }]] },
      { startMs: 15_000, endMs: 16_000, lines: [[{ text: 'second' }]] },
    ]);
  });

  test('expands no entities and takes no document type', () => {
    const bomb =
      '<!DOCTYPE tt [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><tt><body><p begin="0s" end="1s">&b;</p></body></tt>';
    assert.throws(() => parseTtml(bomb), CaptionError);
    assert.throws(() => parseTtml('<html></html>'), CaptionError);
    assert.throws(() => parseTtml(`<tt>${'<div>'.repeat(5000)}${'</div>'.repeat(5000)}</tt>`), CaptionError);
  });
});

describe('SCC', () => {
  test('pop-on captions are shown from their flip to their erasure', () => {
    // "HELLO" on row 15 in CC1, shown at one second (non-drop), erased at three.
    const cues = parseScc(
      'Scenarist_SCC V1.0\n\n00:00:00:20\t9420 9420 94ae 94ae 9470 9470 c845 4c4c 4f80 942f 942f\n\n00:00:03:00\t942c 942c\n',
      { isPaintConverted: false },
    );
    assert.equal(cues.length, 1);
    assert.deepEqual(cues[0] && plainLines(cues[0]), ['HELLO']);
    assert.equal(Math.round(cues[0]?.startMs ?? 0), Math.round((29 * 1001) / 30));
    assert.equal(Math.round(cues[0]?.endMs ?? 0), 3003);
  });

  test('roll-up captions go up by a row at each return', () => {
    const words = '9425 9425 94ad 94ad 9470 9470 4f4e 4580';
    const cues = parseScc(
      `Scenarist_SCC V1.0\n\n00:00:01:00\t${words}\n\n00:00:02:00\t94ad 94ad 5457 4f80\n\n00:00:03:00\t942c 942c\n`,
      { isPaintConverted: false },
    );
    assert.deepEqual(cues.map(plainLines), [['ONE'], ['ONE', 'TWO']]);
  });

  test('painted captions come row by row, or at once where that is asked for', () => {
    const text =
      'Scenarist_SCC V1.0\n\n00:00:01:00\t9429 9429 9440 9440 4f4e 4580\n\n00:00:02:00\t9470 9470 5457 4f80\n\n00:00:03:00\t942c 942c\n';
    assert.deepEqual(parseScc(text, { isPaintConverted: false }).map(plainLines), [['ONE'], ['ONE', 'TWO']]);
    assert.deepEqual(parseScc(text, { isPaintConverted: true }).map(plainLines), [['ONE', 'TWO']]);
  });

  test('drop-frame time codes keep to the clock', () => {
    const at = (code: string): number =>
      parseScc(`Scenarist_SCC V1.0\n\n${code}\t9429 9429 9440 9440 4f4e 4580 942c 942c\n`, {
        isPaintConverted: false,
      })[0]?.startMs ?? Number.NaN;
    assert.ok(Math.abs(at('01:00:00;00') - 3_600_000) < 200);
    assert.ok(Math.abs(at('01:00:00:00') - 3_603_600) < 200);
  });
});

describe('EBU STL', () => {
  const block = (part: number, text: Buffer): Buffer => {
    const bytes = Buffer.alloc(128, 0x8f);
    bytes.set([0, 1, 0, part, 0, 10, 0, 1, 5, 10, 0, 2, 20, 4, 1, 0]);
    bytes.set(text, 16);
    return bytes;
  };
  const general = Buffer.concat([Buffer.from('850STL25.01100'), Buffer.alloc(1010, 0x20)]);

  test('has accents before letters, styles, colours and texts of several blocks', () => {
    const first = Buffer.concat([
      Buffer.from([0x0b, 0x03]),
      Buffer.from('Caf'),
      Buffer.from([0xc2]),
      Buffer.from('e'),
      Buffer.from([0x8a, 0x80]),
      Buffer.from('two'),
      Buffer.from([0x81]),
      Buffer.alloc(101, 0x20),
    ]);
    const cues = parseStl(Buffer.concat([general, block(0, first.subarray(0, 112)), block(0xff, Buffer.from('more'))]));
    assert.deepEqual(
      cues.map(({ startMs, endMs }) => [startMs, endMs]),
      [[36_001_200, 36_002_800]],
    );
    assert.deepEqual(cues[0]?.lines[0], [{ text: 'Café', color: '#ffff00' }]);
    assert.deepEqual(cues[0]?.lines[1]?.[0], { text: 'two', isItalic: true });
    assert.match(cues[0] ? (plainLines(cues[0])[1] ?? '') : '', /^two +more$/);
    assert.deepEqual(cues[0]?.place, { line: 16.67, align: 'start' });
  });

  test('of any bytes ends in captions or in an error', () => {
    assert.throws(() => parseStl(Buffer.from('STL')), CaptionError);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        for (const cue of parseStl(Buffer.concat([general, bytes]))) assert.ok(cue.endMs > cue.startMs);
      }),
    );
  });
});

describe('a caption file', () => {
  test('may be in UTF-8, UTF-16 or Windows-1252', () => {
    const text = '1\n00:00:01,000 --> 00:00:02,000\nCafé\n';
    const utf16 = Buffer.from(text, 'utf16le');
    const files = [
      Buffer.from(text),
      Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(text)]),
      Buffer.concat([Buffer.from([0xff, 0xfe]), utf16]),
      Buffer.concat([Buffer.from([0xfe, 0xff]), Buffer.from(utf16).swap16()]),
      utf16,
      Buffer.from(text, 'latin1'),
    ];
    for (const file of files) {
      const cues = readCaptions(file, { format: 'srt', deltaMs: 0, isPaintConverted: false });
      assert.deepEqual(cues.map(plainLines), [['Café']]);
    }
  });

  test('is shifted, and what then lies before the beginning is left out or cut', () => {
    const text = '1\n00:00:01,000 --> 00:00:02,000\nA\n\n2\n00:00:03,000 --> 00:00:05,000\nB\n';
    const cues = readCaptions(Buffer.from(text), { format: 'srt', deltaMs: -4000, isPaintConverted: false });
    assert.deepEqual(shown(cues), [{ startMs: 0, endMs: 1000, lines: [[{ text: 'B' }]] }]);
  });

  test('of any bytes ends in captions or in an error that says what is wrong', () => {
    const heads = fc.constantFrom(
      '',
      'WEBVTT\n\n',
      'Scenarist_SCC V1.0\n\n',
      '<SAMI><SYNC start=1>',
      '<tt>',
      '1\n00:00:01,000 --> ',
    );
    const pieces = fc.constantFrom(
      '00:00:01.000',
      ' --> ',
      '\n',
      '\n\n',
      '<i>',
      '</',
      '&#x110000;',
      '\u0000',
      '9420 942f',
      '{\\an9}',
      '<SYNC Start=-5>',
    );
    const format = fc.constantFrom('srt', 'webvtt', 'ttml', 'scc', 'smi', 'stl');
    const body = fc.oneof(
      fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join('')),
      fc.string(),
    );
    fc.assert(
      fc.property(heads, body, fc.uint8Array({ maxLength: 20 }), format, (head, text, bytes, name) => {
        const file = Buffer.concat([Buffer.from(head + text), bytes]);
        try {
          const cues = readCaptions(file, { format: name as 'srt', deltaMs: 0, isPaintConverted: false });
          for (const cue of cues) assert.ok(cue.startMs >= 0 && cue.endMs > cue.startMs && cue.lines.length > 0);
        } catch (error) {
          assert.ok(error instanceof CaptionError, String(error));
        }
      }),
      { numRuns: 2000 },
    );
    assert.throws(() => decodeText(Buffer.alloc(0)), CaptionError);
    assert.throws(() => decodeText(Buffer.alloc(17 * 1024 * 1024, 65)), CaptionError);
  });

  test('of a size that nobody writes is read in no time, or refused', () => {
    const started = performance.now();
    const texts = [
      '<i>'.repeat(300_000),
      `WEBVTT\n\n00:00:01.000 --> 00:00:02.000\n${'<'.repeat(400_000)}`,
      '&'.repeat(500_000),
      '00:'.repeat(300_000),
    ];
    for (const text of texts) {
      for (const format of ['srt', 'webvtt', 'scc', 'smi', 'ttml'] as const) {
        try {
          readCaptions(Buffer.from(text), { format, deltaMs: 0, isPaintConverted: false });
        } catch (error) {
          assert.ok(error instanceof CaptionError, String(error));
        }
      }
    }
    assert.ok(performance.now() - started < 10_000);
  });
});

test('a file in which all captions are shown all the time keeps nobody waiting', () => {
  const cues = Array.from(
    { length: 50_000 },
    (_, index): Cue => ({ startMs: index, endMs: 300_000_000 - index, lines: [[{ text: 'x' }]] }),
  );
  const track = new CaptionTrack();
  track.beginPart();
  const started = performance.now();
  for (const cue of cues) track.add(cue);
  for (let ms = 0; ms < 100_000; ms += 40) assert.ok(track.at(ms).length <= 33);
  assert.ok(withoutOverlaps(cues).every(({ lines }) => lines.length <= 32));
  assert.ok(textFragment('wvtt', cues.slice(0, 4000), 0, 1000, { sequence: 1 }).length > 0);
  assert.ok(performance.now() - started < 20_000);
});

test('captions of the same time become one where a form knows one at a time', () => {
  const cue = (startMs: number, endMs: number, text: string): Cue => ({ startMs, endMs, lines: [[{ text }]] });
  const cues = withoutOverlaps([cue(0, 2000, 'a'), cue(1000, 3000, 'b'), cue(3000, 4000, 'c')]);
  assert.deepEqual(
    cues.map((one) => [one.startMs, one.endMs, plainLines(one).join('|')]),
    [
      [0, 1000, 'a'],
      [1000, 2000, 'a|b'],
      [2000, 3000, 'b'],
      [3000, 4000, 'c'],
    ],
  );
});

test('line 21 of any bytes gives captions that end after they begin', () => {
  const pair = fc.tuple(
    fc.oneof(fc.integer({ min: 0x10, max: 0x1f }), fc.integer({ min: 0, max: 255 })),
    fc.integer({ min: 0, max: 255 }),
  );
  fc.assert(
    fc.property(fc.array(pair, { maxLength: 300 }), fc.integer({ min: 1, max: 4 }), (pairs, channel) => {
      const cues: Cue[] = [];
      const decoder = new Cea608Decoder({ channel }, (cue) => cues.push(cue));
      pairs.forEach(([first, second], index) => {
        decoder.take(first, second, index * 33);
        decoder.open(index * 33);
      });
      decoder.finish(100_000);
      for (const cue of cues) {
        assert.ok(cue.endMs > cue.startMs);
        assert.ok(cue.lines.length <= 15);
      }
    }),
  );
});
