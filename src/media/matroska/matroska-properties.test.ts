import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  blockGroup,
  cluster,
  ebmlHeader,
  element,
  endOfFragment,
  header,
  info,
  producerTag,
  simpleBlock,
  tracks,
  voidElement,
} from '#test/harness/matroska-builder.ts';
import { ELEMENT } from './element-ids.ts';
import { MatroskaError } from './matroska-error.ts';
import type { FragmentEvent, MatroskaEvent } from './matroska-events.ts';
import { MatroskaParser } from './matroska-parser.ts';
import { readFrames } from './read-frames.ts';
import type { Track } from './tracks.ts';

const AUDIO = { number: 2, type: 'audio' } as const;
const sizes = [1, 2, 4, 8, 'unknown-1', 'unknown-8'] as const;

/** Both tracks, in both kinds of block, with laces and other things between them. */
function blocks(payload: Buffer, isLaced: boolean): Buffer[] {
  return [
    simpleBlock({ track: 1, payload }),
    voidElement(payload.length % 5),
    blockGroup({ track: 2, time: 7, lacing: isLaced ? 2 : 0, payload: Buffer.from([0, 1]), duration: 20 }),
    simpleBlock({ track: 1, time: 40, isKeyframe: false }),
  ];
}

const fragment = fc.record({
  size: fc.constantFrom(...sizes),
  payload: fc.uint8Array({ maxLength: 40 }),
  isLaced: fc.boolean(),
  tags: fc.array(fc.constantFrom('motion', 'door', 'AWS_KINESISVIDEO_IMAGE_GENERATION'), { maxLength: 2 }),
  isEnded: fc.boolean(),
});

const streams = fc.array(fragment, { maxLength: 4 }).map((fragments) =>
  Buffer.concat([
    header({ number: 1 }, AUDIO),
    ...fragments.flatMap(({ size, payload, isLaced, tags, isEnded }, index) => [
      // A size of one byte leaves no room for more.
      cluster(index * 1000, { size, blocks: blocks(Buffer.from(size === 1 ? [] : payload), isLaced) }),
      ...tags.map((name) => producerTag(name, 'value')),
      ...(isEnded ? [endOfFragment()] : []),
    ]),
  ]),
);

/** Events with what lies in pieces put together, so that they can be compared. */
function comparable(events: readonly MatroskaEvent[]): unknown[] {
  return events.map((event) =>
    event.type === 'fragment'
      ? { ...event, cluster: Buffer.concat(event.cluster), tags: Buffer.concat(event.tags) }
      : event,
  );
}

function parseInChunks(stream: Buffer, chunks: readonly number[], end: 'end' | 'abort' = 'end'): MatroskaEvent[] {
  const parser = new MatroskaParser();
  const events: MatroskaEvent[] = [];
  let at = 0;
  for (const length of chunks) {
    // A copy: what the parser keeps must not depend on what lies beside the chunk.
    events.push(...parser.push(Buffer.from(stream.subarray(at, at + length))));
    at += length;
  }
  events.push(...parser.push(Buffer.from(stream.subarray(at))));
  return [...events, ...(end === 'end' ? parser.end() : parser.abort())];
}

function fragmentsOf(events: readonly MatroskaEvent[]): FragmentEvent[] {
  return events.filter((event) => event.type === 'fragment');
}

test('any chunking of a stream gives the same events', () => {
  fc.assert(
    fc.property(streams, fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 }), (stream, chunks) => {
      const whole = comparable(parseInChunks(stream, []));
      assert.deepEqual(comparable(parseInChunks(stream, chunks)), whole);
      assert.deepEqual(
        comparable(
          parseInChunks(
            stream,
            Array.from(stream, () => 1),
          ),
        ),
        whole,
      );
    }),
    { numRuns: 150 },
  );
});

test('a stream cut at any byte gives only fragments that were whole, and no crash', () => {
  const stream = Buffer.concat([
    ebmlHeader(),
    element(ELEMENT.segment, [
      info(),
      tracks({ number: 1 }, AUDIO),
      ...sizes.flatMap((size, index) => [
        cluster(index, { size, blocks: blocks(Buffer.alloc(3), true) }),
        ...(index % 2 === 0 ? [producerTag('tag', String(index))] : [endOfFragment()]),
      ]),
    ]),
  ]);
  const whole = fragmentsOf(parseInChunks(stream, []));
  assert.equal(whole.length, sizes.length);
  const listed = tracksOf(stream);
  let seen = 0;
  for (let length = 0; length < stream.length; length += 1) {
    for (const end of ['end', 'abort'] as const) {
      const cut = fragmentsOf(parseInChunks(stream.subarray(0, length), [length >> 1], end));
      for (const [index, { cluster: pieces, tags }] of cut.entries()) {
        const original = whole[index];
        const bytes = Buffer.concat(pieces);
        const wholeBytes = Buffer.concat(original?.cluster ?? []);
        const isOpen = String(sizes[index]).startsWith('unknown');
        if (isOpen && end === 'end' && index === cut.length - 1) {
          // It told nobody how long it would be; what there is must be the beginning of it, in whole elements.
          assert.equal(wholeBytes.subarray(0, bytes.length).compare(bytes), 0);
          assert.doesNotThrow(() => readFrames(bytes, listed, 1_000_000));
        } else assert.equal(wholeBytes.compare(bytes), 0, `cut at ${length}`);
        const tagBytes = Buffer.concat(tags);
        assert.equal(
          Buffer.concat(original?.tags ?? [])
            .subarray(0, tagBytes.length)
            .compare(tagBytes),
          0,
        );
      }
      seen = Math.max(seen, cut.length);
    }
  }
  assert.equal(seen, sizes.length);
});

function tracksOf(stream: Buffer): readonly Track[] {
  const [first] = parseInChunks(stream, []);
  assert.equal(first?.type, 'header');
  return first.tracks;
}

test('a stream with bytes changed at random gives fragments or a refusal, never a crash, and no byte it was not sent', () => {
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(streams, changes, fc.nat(50), (original, edits, chunk) => {
      const stream = Buffer.from(original);
      for (const [position, value] of edits) stream[position % stream.length] = value;
      const events = parseInChunks(stream, [chunk, chunk, chunk]);
      const given = fragmentsOf(events).reduce((sum, { clusterBytes, tagBytes }) => sum + clusterBytes + tagBytes, 0);
      assert.ok(given <= stream.length);
      const errors = events.filter(({ type }) => type === 'error');
      assert.ok(errors.length === 0 || (errors.length === 1 && events.at(-1) === errors[0]));
      readAllFrames(events);
    }),
    { numRuns: 2000 },
  );
});

function readAllFrames(events: readonly MatroskaEvent[]): void {
  const [first] = events;
  if (first?.type !== 'header') return;
  for (const event of fragmentsOf(events)) {
    try {
      readFrames(Buffer.concat(event.cluster), first.tracks, first.timecodeScale);
    } catch (error) {
      assert.ok(error instanceof MatroskaError, String(error));
    }
  }
}

test('small and large chunks in any mixture give the same bytes', () => {
  const large = Array.from({ length: 4 }, (_, index) => simpleBlock({ payload: Buffer.alloc(9000, index + 1) }));
  const whole = cluster(0, { blocks: large });
  const lengths = fc.array(fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 4000, max: 9000 })));
  fc.assert(
    fc.property(lengths, (chunks) => {
      const stream = Buffer.concat([header(), whole]);
      const [only] = fragmentsOf(parseInChunks(stream, chunks.slice(0, 12)));
      assert.equal(Buffer.concat(only?.cluster ?? []).compare(whole), 0);
    }),
  );
});

test('a stream that comes byte by byte is not held as one view for each byte', () => {
  const parser = new MatroskaParser();
  const stream = Buffer.concat([header(), cluster(0, { blocks: [simpleBlock({ payload: Buffer.alloc(10_000) })] })]);
  const events = [...stream].flatMap((byte) => parser.push(Buffer.from([byte])));
  const [only] = fragmentsOf([...events, ...parser.end()]);
  assert.ok((only?.cluster.length ?? Number.POSITIVE_INFINITY) <= 3);
  assert.ok((only?.clusterBytes ?? 0) > 10_000);
});

test('the payload of a stream that comes in large chunks is not copied', () => {
  const parser = new MatroskaParser();
  const large = simpleBlock({ payload: Buffer.alloc(10_000) });
  const stream = Buffer.concat([header(), cluster(0, { blocks: Array.from({ length: 9 }, () => large) })]);
  const [only] = fragmentsOf([...parser.push(stream), ...parser.end()]);
  assert.equal(only?.cluster.length, 1);
  assert.equal(only.cluster[0]?.buffer, stream.buffer);
});
