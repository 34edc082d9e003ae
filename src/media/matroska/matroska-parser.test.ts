import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  blockGroup,
  cluster,
  ebmlHeader,
  element,
  ENCRYPTED_BLOCK,
  endOfFragment,
  header,
  info,
  producerTag,
  simpleBlock,
  timecode,
  tracks,
  UNKNOWN_ELEMENT,
  unsigned,
  voidElement,
} from '#test/harness/matroska-builder.ts';
import { ELEMENT } from './element-ids.ts';
import type { FragmentEvent, HeaderEvent, MatroskaEvent, MatroskaLimits } from './matroska-events.ts';
import { MatroskaParser } from './matroska-parser.ts';
import { OPEN_SEGMENT } from './matroska-writer.ts';

function parse(stream: readonly Buffer[], limits: Partial<MatroskaLimits> = {}): MatroskaEvent[] {
  const parser = new MatroskaParser(limits);
  return [...stream.flatMap((chunk) => parser.push(chunk)), ...parser.end()];
}

function fragmentsOf(events: readonly MatroskaEvent[]): FragmentEvent[] {
  return events.filter((event) => event.type === 'fragment');
}

function faultOf(events: readonly MatroskaEvent[]): string | undefined {
  const last = events.at(-1);
  return last?.type === 'error' ? last.error.fault : undefined;
}

function headerOf(events: readonly MatroskaEvent[]): HeaderEvent {
  const [first] = events;
  assert.equal(first?.type, 'header');
  return first;
}

const bytesOf = (pieces: readonly Buffer[]): string => Buffer.concat(pieces).toString('hex');

describe('MatroskaParser', () => {
  it('gives out the header, the beginning of each Cluster and each whole fragment, in order', () => {
    const first = cluster(1000);
    const second = cluster(3000, { size: 8 });
    const events = parse([header(), first, second]);
    assert.deepEqual(
      events.map(({ type }) => type),
      ['header', 'cluster-start', 'fragment', 'cluster-start', 'fragment'],
    );
    const fragments = fragmentsOf(events);
    assert.deepEqual(
      fragments.map((fragment) => [fragment.timecodeMs, bytesOf(fragment.cluster), fragment.clusterBytes]),
      [
        [1000, first.toString('hex'), first.length],
        [3000, second.toString('hex'), second.length],
      ],
    );
  });

  it('keeps the header verbatim, but for a Segment of unknown size', () => {
    const seek = element(ELEMENT.seekHead, Buffer.from('positions'));
    const rest = [seek, voidElement(20), info(), tracks(), producerTag('camera', 'door')];
    const known = element(ELEMENT.segment, [...rest, cluster(0, { size: 2 })], 8);
    const { bytes, simpleTags } = headerOf(parse([ebmlHeader(), known]));
    assert.equal(bytesOf([bytes]), bytesOf([ebmlHeader(), OPEN_SEGMENT, ...rest]));
    assert.deepEqual(simpleTags, [{ name: 'camera', value: 'door' }]);
  });

  it('lets Attachments and Cues fall, wherever they stand and however long', () => {
    const large = [element(ELEMENT.attachments, Buffer.alloc(5000)), element(ELEMENT.cues, Buffer.alloc(5000))];
    const events = parse([header(), ...large, cluster(0), ...large, cluster(1)], { headerBytes: 1000 });
    assert.deepEqual(bytesOf([headerOf(events).bytes]), bytesOf([header()]));
    assert.equal(fragmentsOf(events).length, 2);
  });

  it('honours the timecode scale', () => {
    const start = [ebmlHeader(), OPEN_SEGMENT, info(100_000), tracks()];
    const events = parse([...start, cluster(20_004, { blocks: [simpleBlock(), simpleBlock({ time: 5000 })] })]);
    const [fragment] = fragmentsOf(events);
    assert.equal(headerOf(events).timecodeScale, 100_000);
    assert.equal(fragment?.timecodeMs, 2000);
    assert.equal(fragment.durationMs, 1000, 'two frames, 500 ms apart');
  });

  it('tells a BUFFERING producer early: the Cluster begins when its timecode is there', () => {
    const parser = new MatroskaParser();
    const whole = cluster(700);
    const upTo = whole.indexOf(timecode(700)) + timecode(700).length;
    parser.push(header());
    assert.deepEqual(
      parser.push(whole.subarray(0, upTo - 1)).map(({ type }) => type),
      ['header'],
    );
    assert.deepEqual(parser.push(whole.subarray(upTo - 1, upTo)), [{ type: 'cluster-start', timecodeMs: 700 }]);
  });

  it('reads what blocks tell: frames, keyframes, tracks, durations', () => {
    const video = { number: 1, extra: [unsigned(ELEMENT.defaultDuration, 40_000_000, 4)] };
    const audio = { number: 2, type: 'audio' } as const;
    const blocks = [
      simpleBlock({ track: 2, time: 0, isKeyframe: true }),
      blockGroup({ track: 1, time: 0 }),
      blockGroup({ track: 1, time: 80, references: true }),
      simpleBlock({ track: 1, time: 40, isKeyframe: false }),
      blockGroup({ track: 2, time: 20, lacing: 2, payload: Buffer.from([1, 1, 2]), duration: 47 }),
    ];
    const [fragment] = fragmentsOf(parse([header(video, audio), cluster(0, { blocks })]));
    assert.equal(fragment?.frames, 6, 'a lace of two counts as two');
    assert.equal(fragment.startsWithKeyframe, true);
    assert.deepEqual(fragment.trackNumbers, [1, 2]);
    assert.equal(fragment.durationMs, 120, 'the latest video frame and its default duration');
    const [dependent] = fragmentsOf(
      parse([header(), cluster(0, { blocks: [blockGroup({ references: true, duration: 9 })] })]),
    );
    assert.equal(dependent?.startsWithKeyframe, false);
    assert.equal(dependent.durationMs, 9);
  });

  it('passes through what it does not know in a Cluster', () => {
    const strange = [
      element(UNKNOWN_ELEMENT, Buffer.alloc(10), 3),
      element(ENCRYPTED_BLOCK, Buffer.alloc(9), 1),
      element(ELEMENT.crc32, Buffer.alloc(4), 1),
      voidElement(0),
    ];
    const whole = cluster(0, { blocks: [...strange, simpleBlock()] });
    const [fragment] = fragmentsOf(parse([header(), whole]));
    assert.equal(bytesOf(fragment?.cluster ?? []), whole.toString('hex'));
    assert.equal(fragment?.frames, 1);
  });

  it('takes ids and sizes of every length that the EBML header allows', () => {
    const lengths = [1, 2, 3, 4, 5, 6, 7, 8] as const;
    const blocks = lengths.map((length) => element(ELEMENT.void, Buffer.alloc(7), length));
    assert.equal(fragmentsOf(parse([header(), cluster(0, { blocks: [simpleBlock(), ...blocks] })])).length, 1);
    const longId = Buffer.concat([Buffer.from('01020304050607088100', 'hex')]);
    const allowing = element(ELEMENT.ebml, [
      unsigned(ELEMENT.ebmlMaxIdLength, 8, 1),
      element(ELEMENT.docType, Buffer.from('webm'), 1),
    ]);
    const rest = [OPEN_SEGMENT, info(), tracks(), cluster(0, { blocks: [simpleBlock(), longId] })];
    assert.equal(fragmentsOf(parse([allowing, ...rest])).length, 1);
    assert.equal(faultOf(parse([ebmlHeader(), ...rest])), 'INVALID_MKV_DATA');
  });
});

describe('the end of a fragment', () => {
  it('is the end-of-fragment tag, without waiting for anything after it', () => {
    for (const size of ['unknown-1', 'unknown-8', 4] as const) {
      const parser = new MatroskaParser();
      const events = [header(), cluster(0, { size }), endOfFragment()].flatMap((chunk) => parser.push(chunk));
      const [fragment] = fragmentsOf(events);
      assert.equal(fragment?.hasEndOfFragment, true);
      assert.equal(bytesOf(fragment.tags), endOfFragment().toString('hex'));
      assert.deepEqual(parser.end(), []);
    }
  });

  it('comes with the tags that follow the Cluster; after the end-of-fragment tag they are the next one’s', () => {
    const stream = [
      header(),
      cluster(0),
      producerTag('motion', 'true'),
      producerTag('place', 'door'),
      cluster(1),
      producerTag('motion', 'false'),
      endOfFragment(),
      producerTag('late', 'yes'),
      cluster(2),
    ];
    const fragments = fragmentsOf(parse(stream));
    assert.deepEqual(
      fragments.map(({ simpleTags }) => simpleTags.map(({ name, value }) => `${name}=${value}`)),
      [['motion=true', 'place=door'], ['motion=false', 'AWS_KINESISVIDEO_END_OF_FRAGMENT='], ['late=yes']],
    );
    assert.equal(bytesOf(fragments[0]?.tags ?? []), bytesOf(stream.slice(2, 4)));
    assert.equal(fragments[0]?.tagBytes, (stream[2]?.length ?? 0) + (stream[3]?.length ?? 0));
  });

  it('can be asked for once the Cluster is known to be whole, and then only', () => {
    const parser = new MatroskaParser();
    parser.push(header());
    parser.push(cluster(0));
    assert.equal(parser.hasWholeCluster, false, 'of unknown size: more blocks may come');
    assert.deepEqual(parser.closeFragment(), []);
    parser.push(producerTag('a'));
    assert.equal(parser.hasWholeCluster, true);
    assert.equal(fragmentsOf(parser.closeFragment()).length, 1);
    const known = cluster(1, { size: 4 });
    parser.push(known.subarray(0, -1));
    assert.equal(parser.hasWholeCluster, false);
    parser.push(known.subarray(-1));
    assert.equal(parser.hasWholeCluster, true);
    parser.push(endOfFragment().subarray(0, 1));
    assert.equal(parser.hasWholeCluster, false, 'a tag has begun');
    const [second] = fragmentsOf(parser.push(endOfFragment().subarray(1)));
    assert.equal(second?.hasEndOfFragment, true);
    assert.equal(parser.hasWholeCluster, false);
  });

  it('ends nothing again when the fragment was already asked for', () => {
    const parser = new MatroskaParser();
    for (const chunk of [header(), cluster(0, { size: 4 })]) parser.push(chunk);
    assert.equal(fragmentsOf(parser.closeFragment()).length, 1);
    const later = [endOfFragment(), cluster(1, { size: 4 })].flatMap((chunk) => parser.push(chunk));
    const [next] = fragmentsOf([...later, ...parser.end()]);
    assert.equal(next?.hasEndOfFragment, false);
    assert.equal(next.tagBytes, 0);
  });

  it('is the end of the body, for a Cluster of unknown size only between two elements', () => {
    const whole = cluster(0);
    assert.equal(fragmentsOf(parse([header(), whole])).length, 1);
    const cut = parse([header(), whole.subarray(0, -1)]);
    assert.equal(fragmentsOf(cut).length, 0);
    assert.equal(faultOf(cut), 'INVALID_MKV_DATA');
  });

  it('is not the end of a broken connection, unless the Cluster is surely whole', () => {
    for (const [size, count] of [
      ['unknown-1', 0],
      [4, 1],
    ] as const) {
      const parser = new MatroskaParser();
      for (const chunk of [header(), cluster(0, { size })]) parser.push(chunk);
      assert.equal(fragmentsOf(parser.abort()).length, count);
      assert.deepEqual(parser.push(cluster(1)), [], 'nothing is taken after it');
    }
  });

  it('is the end of a Segment of known size', () => {
    const segment = element(ELEMENT.segment, [info(), tracks(), cluster(5)], 8);
    const parser = new MatroskaParser();
    parser.push(ebmlHeader());
    parser.push(segment);
    assert.equal(parser.hasWholeCluster, true);
    assert.equal(faultOf(parser.push(cluster(6))), 'INVALID_MKV_DATA');
  });
});
