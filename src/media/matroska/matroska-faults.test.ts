import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  blockContent,
  blockGroup,
  cluster,
  ebmlHeader,
  element,
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
import type { MatroskaError } from './matroska-error.ts';
import type { MatroskaLimits } from './matroska-events.ts';
import { MatroskaParser } from './matroska-parser.ts';
import { OPEN_SEGMENT } from './matroska-writer.ts';

interface Outcome {
  readonly fragments: number;
  readonly error: MatroskaError | undefined;
}

function outcome(stream: readonly Buffer[], limits: Partial<MatroskaLimits> = {}): Outcome {
  const parser = new MatroskaParser(limits);
  const events = [...stream.flatMap((chunk) => parser.push(chunk)), ...parser.end()];
  const last = events.at(-1);
  return {
    fragments: events.filter(({ type }) => type === 'fragment').length,
    error: last?.type === 'error' ? last.error : undefined,
  };
}

/** Bytes with the size of an element changed: the id stays, 8 bytes of size follow, then the content as it was. */
function withSize(id: string, size: bigint, content: Buffer = Buffer.alloc(0)): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(size | (1n << 56n));
  return Buffer.concat([Buffer.from(id, 'hex'), bytes, content]);
}

const open = (...content: readonly Buffer[]): Buffer => Buffer.concat([Buffer.from('1f43b675ff', 'hex'), ...content]);
const start = [ebmlHeader(), OPEN_SEGMENT];
const block = (): Buffer => element(ELEMENT.block, blockContent({}));
const HUGE = 2n ** 56n - 2n;

const invalidStreams: Readonly<Record<string, readonly Buffer[]>> = {
  'no EBML header': [OPEN_SEGMENT, info(), tracks(), cluster(0)],
  'another kind of document': [ebmlHeader('something'), OPEN_SEGMENT, info(), tracks(), cluster(0)],
  'text instead of Matroska': [Buffer.from('GET / HTTP/1.1\r\nHost: example.com\r\n\r\n')],
  'zero bytes instead of Matroska': [Buffer.alloc(100)],
  'an EBML header of giant size': [withSize('1a45dfa3', HUGE)],
  'an EBML header of unknown size': [Buffer.from('1a45dfa3ff', 'hex')],
  'an EBML header that needs another version': [
    element(ELEMENT.ebml, [unsigned(ELEMENT.ebmlReadVersion, 2, 1), element(ELEMENT.docType, Buffer.from('webm'))]),
  ],
  'no Segment': [ebmlHeader(), info(), tracks(), cluster(0)],
  'no Info': [...start, tracks(), cluster(0)],
  'no Tracks': [...start, info(), cluster(0)],
  'Tracks without a track': [...start, info(), element(ELEMENT.tracks), cluster(0)],
  'two Tracks': [...start, info(), tracks(), tracks(), cluster(0)],
  'two Infos': [...start, info(), info(), tracks(), cluster(0)],
  'a timecode scale of zero': [...start, info(0), tracks(), cluster(0)],
  'a track without a number': [...start, info(), tracks({ number: 0 }), cluster(0)],
  'two tracks with one number': [...start, info(), tracks({ number: 1 }, { number: 1 }), cluster(0)],
  'a track that is longer than Tracks': [...start, info(), element(ELEMENT.tracks, withSize('ae', 1000n)), cluster(0)],
  'a header of giant size': [...start, withSize('ec', HUGE)],
  'a header element of unknown size': [...start, Buffer.from('1549a966ff', 'hex')],
  'a second EBML header': [header(), cluster(0), ebmlHeader(), cluster(1)],
  'a second Segment': [header(), cluster(0), OPEN_SEGMENT, cluster(1)],
  'a whole second stream': [header(), cluster(0), header(), cluster(1)],
  'Tracks after the first Cluster': [header(), cluster(0), tracks(), cluster(1)],
  'Info after the first Cluster': [header(), cluster(0), info(), cluster(1)],
  'something unknown between Clusters': [header(), cluster(0, { size: 4 }), element(UNKNOWN_ELEMENT), cluster(1)],
  'a Cluster without a timecode': [header(), element(ELEMENT.cluster), cluster(1)],
  'a block before the timecode': [header(), open(simpleBlock(), timecode(1))],
  'a BlockGroup before the timecode': [header(), open(blockGroup({}), timecode(1))],
  'two timecodes': [header(), open(timecode(1), timecode(1), simpleBlock())],
  'a timecode of nine bytes': [header(), open(element(ELEMENT.timecode, Buffer.alloc(9)), simpleBlock())],
  'a timecode above 2^53': [header(), open(element(ELEMENT.timecode, Buffer.alloc(8, 0xff)), simpleBlock())],
  'a block without a head': [header(), cluster(0, { blocks: [element(ELEMENT.simpleBlock, Buffer.alloc(3, 0x81))] })],
  'an empty block': [header(), cluster(0, { blocks: [element(ELEMENT.simpleBlock)] })],
  'a lace without a count': [
    header(),
    cluster(0, { blocks: [element(ELEMENT.simpleBlock, Buffer.from('81000006', 'hex'))] }),
  ],
  'a block of unknown size': [header(), cluster(0, { blocks: [Buffer.from('a3ff', 'hex')] })],
  'an empty BlockGroup': [header(), cluster(0, { blocks: [element(ELEMENT.blockGroup)] })],
  'a BlockGroup with two blocks': [header(), cluster(0, { blocks: [element(ELEMENT.blockGroup, [block(), block()])] })],
  'a block that is longer than its BlockGroup': [
    header(),
    cluster(0, { blocks: [element(ELEMENT.blockGroup, withSize('a1', 100n))] }),
  ],
  'a block that is longer than its Cluster': [
    header(),
    element(ELEMENT.cluster, [timecode(0), withSize('a3', 100n)]),
    Buffer.alloc(100),
  ],
  'a Cluster that is longer than the Segment': [
    ebmlHeader(),
    element(ELEMENT.segment, [info(), tracks(), withSize('1f43b675', 100n)]),
    Buffer.alloc(100),
  ],
  'a Cluster in a Cluster of known size': [
    header(),
    element(ELEMENT.cluster, [timecode(0), simpleBlock(), cluster(1)]),
  ],
  'a Cluster in a BlockGroup': [
    header(),
    cluster(0, { blocks: [simpleBlock(), element(ELEMENT.blockGroup, cluster(1))] }),
  ],
  'Tags in a Cluster of known size': [
    header(),
    element(ELEMENT.cluster, [timecode(0), simpleBlock(), producerTag('a')]),
  ],
  'a tag in the service’s own name': [header(), cluster(0), producerTag('AWS_KINESISVIDEO_FRAGMENT_NUMBER', '1')],
  'such a tag of one track': [header(), cluster(0), trackTag('AWS_KINESISVIDEO_FRAGMENT_NUMBER')],
  'such a tag before the first Cluster': [header(), producerTag('AWSOME', '1'), cluster(0)],
  'a tag without a name': [
    header(),
    cluster(0),
    element(ELEMENT.tags, element(ELEMENT.tag, element(ELEMENT.simpleTag))),
  ],
  'tags in tags in tags': [header(), cluster(0), nestedTags(12)],
};

/** A tag that is about one track. */
function trackTag(name: string, count = 1): Buffer {
  const targets = element(ELEMENT.targets, unsigned(ELEMENT.tagTrackUid, 7, 1));
  const simple = element(ELEMENT.simpleTag, element(ELEMENT.tagName, Buffer.from(name)));
  return element(ELEMENT.tags, element(ELEMENT.tag, [targets, ...Array.from({ length: count }, () => simple)]));
}

function nestedTags(depth: number): Buffer {
  let inner: Buffer = Buffer.alloc(0);
  for (let level = 0; level < depth; level += 1) {
    inner = element(ELEMENT.simpleTag, [element(ELEMENT.tagName, Buffer.from('n')), inner]);
  }
  return element(ELEMENT.tags, element(ELEMENT.tag, inner));
}

describe('INVALID_MKV_DATA', () => {
  for (const [name, stream] of Object.entries(invalidStreams)) {
    it(`refuses ${name}, without waiting for the end`, () => {
      const parser = new MatroskaParser();
      const last = stream.flatMap((chunk) => parser.push(chunk)).at(-1);
      assert.equal(last?.type === 'error' ? last.error.fault : last?.type, 'INVALID_MKV_DATA');
    });
  }

  it('leaves the fragments that came before it', () => {
    assert.equal(outcome([header(), cluster(0), cluster(1), tracks()]).fragments, 2);
  });
});

describe('the other refusals', () => {
  it('FRAGMENT_TIMECODE_LESSER_THAN_PREVIOUS, with the timecode at fault, also for one that is equal', () => {
    for (const second of [1999, 2000]) {
      const { error, fragments } = outcome([header(), cluster(2000), cluster(second)]);
      assert.equal(error?.fault, 'FRAGMENT_TIMECODE_LESSER_THAN_PREVIOUS');
      assert.equal(error.timecodeMs, second);
      assert.equal(fragments, 1);
    }
  });

  it('TRACK_NUMBER_MISMATCH for a block of a track that is not listed', () => {
    for (const stray of [simpleBlock({ track: 2 }), blockGroup({ track: 2 })]) {
      assert.equal(outcome([header(), cluster(0, { blocks: [stray] })]).error?.fault, 'TRACK_NUMBER_MISMATCH');
    }
  });

  it('FRAMES_MISSING_FOR_TRACK for a fragment without a frame of one of its tracks', () => {
    const two = header({ number: 1 }, { number: 2, type: 'audio' });
    const both = [simpleBlock({ track: 1 }), simpleBlock({ track: 2 })];
    const { error, fragments } = outcome([two, cluster(0, { blocks: both }), cluster(1), cluster(2)]);
    assert.equal(error?.fault, 'FRAMES_MISSING_FOR_TRACK');
    assert.equal(error.timecodeMs, 1);
    assert.equal(fragments, 1);
    assert.equal(outcome([header(), cluster(0, { blocks: [] })]).error?.fault, 'FRAMES_MISSING_FOR_TRACK');
  });

  it('MORE_THAN_ALLOWED_TRACKS_FOUND for a fourth track', () => {
    const four = header({ number: 1 }, { number: 2 }, { number: 3 }, { number: 4 });
    assert.equal(outcome([four, cluster(0)]).error?.fault, 'MORE_THAN_ALLOWED_TRACKS_FOUND');
  });

  it('FRAGMENT_METADATA_LIMIT_REACHED for too many tags, and for long ones; tags of a track and control tags do not count', () => {
    const tags = (count: number): Buffer[] => Array.from({ length: count }, (_, index) => producerTag(`t${index}`));
    const ten = [header(), cluster(0), ...tags(10), trackTag('BPS', 11), endOfFragment()];
    assert.deepEqual(outcome(ten), { fragments: 1, error: undefined });
    const tooMuch = [
      tags(11),
      [producerTag('n'.repeat(129))],
      [producerTag('n', 'ü'.repeat(129))],
      [element(ELEMENT.tags, voidElement(100_000))],
    ];
    for (const some of tooMuch) {
      assert.equal(outcome([header(), cluster(0), ...some]).error?.fault, 'FRAGMENT_METADATA_LIMIT_REACHED');
    }
  });

  it('MAX_FRAGMENT_SIZE_REACHED as soon as the stream says so, before the bytes come', () => {
    const limits = { fragmentBytes: 1000 };
    const large = simpleBlock({ payload: Buffer.alloc(800) });
    const fits = outcome([header(), cluster(0, { blocks: [large] })], limits);
    assert.deepEqual(fits, { fragments: 1, error: undefined });
    const tooLarge = [
      cluster(0, { blocks: [large, large] }),
      withSize('1f43b675', 1001n),
      withSize('1f43b675', HUGE),
      open(timecode(0), withSize('a3', HUGE)),
      open(timecode(0), withSize('a0', 1000n)),
    ];
    for (const some of tooLarge) {
      assert.equal(outcome([header(), some], limits).error?.fault, 'MAX_FRAGMENT_SIZE_REACHED');
    }
  });

  it('MAX_FRAGMENT_DURATION_REACHED for a frame too far behind its Cluster’s timecode', () => {
    const at = (time: number): Buffer[] => [header(), cluster(0, { blocks: [simpleBlock(), simpleBlock({ time })] })];
    assert.equal(outcome(at(20_000)).error, undefined);
    assert.equal(outcome(at(20_001)).error?.fault, 'MAX_FRAGMENT_DURATION_REACHED');
  });
});
