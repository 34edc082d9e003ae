import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { FragmentRecord, StreamRecord } from '#services/kinesis-video/api.ts';
import { ArchiveParts } from '#test/harness/archive-parts.ts';
import { cluster, header } from '#test/harness/matroska-builder.ts';
import { ConsumerReader } from '../domain/consumer-reader.ts';
import { SessionTimeline, type TimelineWindow } from './session-timeline.ts';
import type { StreamingSession } from './streaming-session.ts';

interface Fragment {
  /** Milliseconds since the test's beginning. */
  readonly server: number;
  readonly producer?: number;
  readonly lengthMs?: number;
  readonly startsWithKeyframe?: boolean;
}

describe('the timeline of a session', () => {
  let parts: ArchiveParts;
  let stream: StreamRecord;
  let zero: number;

  beforeEach(async () => {
    parts = await ArchiveParts.start();
    stream = await parts.createStream('camera', 1);
    zero = parts.now;
  });
  afterEach(() => parts.stop());

  /** Stores fragments by one connection, when they come. */
  async function put(fragments: readonly Fragment[], tracks = header()): Promise<FragmentRecord[]> {
    const ingest = parts.video.archive.connect(stream);
    const written: FragmentRecord[] = [];
    await ingest.open(parts.authority, tracks);
    for (const { server, producer = server, lengthMs = 1000, startsWithKeyframe = true } of fragments) {
      parts.now = zero + server;
      const producerTimestamp = zero + producer;
      const content = { cluster: [cluster(producerTimestamp)], tags: [], startsWithKeyframe, isKept: true };
      written.push(await ingest.write({ ...ingest.begin(), producerTimestamp, lengthMs, ...content }));
    }
    await ingest.close();
    return written;
  }

  function begin(facts: Partial<StreamingSession>): SessionTimeline {
    const session: StreamingSession = {
      protocol: 'HLS',
      streamArn: stream.arn,
      caller: parts.authority.caller,
      mode: 'LIVE',
      by: 'server',
      start: zero,
      maxFragments: 3,
      container: 'FRAGMENTED_MP4',
      discontinuityMode: 'NEVER',
      areTimestampsShown: false,
      areNumbersShown: false,
      zeroAt: zero,
      createdAt: parts.now,
      expiresAt: parts.now + 300_000,
      ...facts,
    };
    const reader = new ConsumerReader(parts.video.archive.reader(stream, parts.authority));
    return new SessionTimeline(session, stream, parts.video.archive, reader);
  }

  const numbersOf = ({ entries }: TimelineWindow) => entries.map(({ record }) => record.number);
  const sequencesOf = ({ entries }: TimelineWindow) => entries.map(({ sequence }) => sequence);
  const seconds = (count: number, first = 0): Fragment[] =>
    Array.from({ length: count }, (_, index) => ({ server: (first + index) * 1000 }));

  describe('that is live', () => {
    it('slides: fragments keep the numbers that they were given', async () => {
      const [first, ...rest] = await put(seconds(2));
      const timeline = begin({ firstNumber: first?.number ?? '' });
      const opening = await timeline.window(parts.now);
      assert.deepEqual(
        numbersOf(opening),
        [first, ...rest].map((record) => record?.number),
      );
      assert.deepEqual([sequencesOf(opening), opening.hasEnded], [[0, 1], false]);
      const later = await put(seconds(3, 2));
      const slid = await timeline.window(parts.now);
      assert.deepEqual(
        numbersOf(slid),
        later.map(({ number }) => number),
      );
      assert.deepEqual(sequencesOf(slid), [2, 3, 4]);
      // Another process, or this one after a start, comes to the same.
      const again = begin({ firstNumber: first?.number ?? '' });
      assert.deepEqual(await again.window(parts.now), slid);
    });

    it('begins with its first fragment, though others came in the same millisecond', async () => {
      const [, second, third] = await put([{ server: 0 }, { server: 0 }, { server: 0 }]);
      const timeline = begin({ firstNumber: second?.number ?? '' });
      assert.deepEqual(numbersOf(await timeline.window(parts.now)), [second?.number, third?.number]);
    });

    it('goes on counting where its first fragments have expired', async () => {
      const [first] = await put(seconds(20));
      const timeline = begin({ firstNumber: first?.number ?? '' });
      const before = await timeline.window(parts.now);
      parts.now = zero + 3_600_000 + 15_000;
      const after = await begin({ firstNumber: first?.number ?? '' }).window(parts.now);
      assert.ok(after.entries.length > 0);
      assert.ok((after.entries[0]?.sequence ?? 0) >= (before.entries[0]?.sequence ?? 0));
      assert.ok((after.entries[0]?.mediaTime ?? 0) >= 15_000);
    });

    it('takes what came last, whatever the producer’s clock says, and never goes back', async () => {
      const [first, second] = await put([
        { server: 0, producer: 9000 },
        { server: 1000, producer: 10_000 },
      ]);
      const timeline = begin({ by: 'producer', firstNumber: first?.number ?? '' });
      const [, late] = await put([
        { server: 2000, producer: 5000 },
        { server: 3000, producer: 11_000 },
      ]);
      assert.deepEqual(
        numbersOf(await timeline.window(parts.now)),
        [first, second, late].map((one) => one?.number),
      );
    });

    it('puts the newer of two fragments with the same producer timestamp in the older one’s place', async () => {
      const [first, replaced] = await put([
        { server: 0, producer: 0 },
        { server: 1000, producer: 1000 },
      ]);
      const timeline = begin({ by: 'producer', firstNumber: first?.number ?? '' });
      assert.deepEqual(numbersOf(await timeline.window(parts.now)), [first?.number, replaced?.number]);
      const [newer, next] = await put([
        { server: 2000, producer: 1000 },
        { server: 3000, producer: 2000 },
      ]);
      const window = await timeline.window(parts.now);
      assert.deepEqual(
        numbersOf(window),
        [first, newer, next].map((one) => one?.number),
      );
      assert.deepEqual(sequencesOf(window), [0, 1, 2]);
    });
  });

  describe('that is replayed', () => {
    it('begins with as many fragments as a manifest has, and adds one when it has been played', async () => {
      const records = await put(seconds(8));
      const timeline = begin({ mode: 'LIVE_REPLAY' });
      const created = parts.now;
      const shownAfter = async (ms: number) => sequencesOf(await timeline.window(created + ms));
      assert.deepEqual(await shownAfter(0), [0, 1, 2]);
      assert.deepEqual(await shownAfter(999), [0, 1, 2]);
      assert.deepEqual(await shownAfter(1000), [1, 2, 3]);
      assert.deepEqual(await shownAfter(3500), [3, 4, 5]);
      assert.deepEqual(await shownAfter(60_000), [5, 6, 7]);
      assert.equal((await timeline.window(created + 60_000)).hasEnded, false, 'it waits for what has not come yet');
      parts.now = created;
      const [live] = await put([{ server: 9000 }]);
      const window = await timeline.window(created + 60_000);
      assert.equal(numbersOf(window).at(-1), live?.number);
      assert.equal(numbersOf(window)[0], records[6]?.number);
    });

    it('ends when its range has an end, and all of it was played', async () => {
      await put(seconds(5));
      const timeline = begin({ mode: 'LIVE_REPLAY', end: zero + 3500 });
      const created = parts.now;
      assert.equal((await timeline.window(created)).hasEnded, false);
      const last = await timeline.window(created + 1000);
      assert.deepEqual([sequencesOf(last), last.hasEnded], [[1, 2, 3], true]);
    });

    it('counts on when it has forgotten what was played long ago', async () => {
      await put(seconds(300));
      const timeline = begin({ mode: 'LIVE_REPLAY' });
      const created = parts.now;
      for (let second = 0; second < 250; second += 10) await timeline.window(created + second * 1000);
      const window = await timeline.window(created + 250_000);
      assert.deepEqual(sequencesOf(window), [250, 251, 252]);
      assert.deepEqual(await begin({ mode: 'LIVE_REPLAY', createdAt: created }).window(created + 250_000), window);
      assert.equal(await timeline.at(2, created), undefined);
    });
  });

  describe('on demand', () => {
    it('has the first fragments of its range, each as long as until the next one, and an end', async () => {
      await put([
        { server: 0, lengthMs: 1040 },
        { server: 1000, lengthMs: 1040 },
        { server: 2000, lengthMs: 1040 },
        { server: 60_000, lengthMs: 1040 },
        { server: 61_000 },
      ]);
      const timeline = begin({ mode: 'ON_DEMAND', end: zero + 70_000, maxFragments: 4 });
      const { entries, hasEnded } = await timeline.window(parts.now);
      assert.deepEqual(
        entries.map(({ durationMs, mediaTime }) => [durationMs, mediaTime]),
        [
          [1000, 0],
          [1000, 1000],
          // The gap is no part of the fragment before it, nor of the timeline.
          [1040, 2000],
          [1000, 3040],
        ],
      );
      assert.equal(hasEnded, true);
    });

    it('is in the order of the producer’s timestamps, and of two alike has the newer one', async () => {
      const [, , third] = await put([
        { server: 0, producer: 2000 },
        { server: 100, producer: 3000 },
        { server: 200, producer: 4000 },
      ]);
      const [zeroth, first, second] = await put([
        { server: 300, producer: 1000 },
        { server: 400, producer: 2000 },
        { server: 500, producer: 3000 },
      ]);
      const timeline = begin({ mode: 'ON_DEMAND', by: 'producer', end: zero + 10_000, maxFragments: 10 });
      const window = await timeline.window(parts.now);
      assert.deepEqual(
        numbersOf(window),
        [zeroth, first, second, third].map((one) => one?.number),
      );
    });
  });

  describe('of fragments that follow others', () => {
    const followers = (...places: readonly number[]): Fragment[] =>
      places.map((server) => ({ server, startsWithKeyframe: false }));
    const groupsOf = ({ entries }: TimelineWindow) => entries.map(({ followers: count }) => count);

    it('puts them to the one that they are decoded after, and leaves out those that have none', async () => {
      const first = await put([...followers(0, 1000), { server: 2000 }, ...followers(3000, 4000), { server: 5000 }]);
      const second = await put([...followers(6000), { server: 7000 }]);
      const timeline = begin({ mode: 'ON_DEMAND', maxFragments: 9, end: zero + 9000 });
      const window = await timeline.window(parts.now);
      assert.deepEqual(numbersOf(window), [first[2]?.number, first[5]?.number, second[1]?.number]);
      assert.deepEqual(groupsOf(window), [2, 0, 0]);
      assert.deepEqual(
        window.entries.map(({ durationMs, mediaTime }) => [durationMs, mediaTime]),
        [
          [3000, 0],
          [1000, 3000],
          [1000, 4000],
        ],
      );
    });

    it('makes no group longer than 20 seconds', async () => {
      const all = await put([{ server: 0 }, ...followers(...Array.from({ length: 24 }, (_, at) => 1000 + at * 1000))]);
      const timeline = begin({ mode: 'ON_DEMAND', maxFragments: 9, end: zero + 60_000 });
      const window = await timeline.window(parts.now);
      assert.deepEqual(groupsOf(window), [19, 4]);
      assert.deepEqual(numbersOf(window), [all[0]?.number, all[20]?.number]);
    });

    it('takes back nothing that was shown live, and shows whole groups thereafter', async () => {
      const ingest = parts.video.archive.connect(stream);
      await ingest.open(parts.authority, header());
      const write = async (server: number, startsWithKeyframe: boolean) => {
        parts.now = zero + server;
        const content = { cluster: [cluster(parts.now)], tags: [], startsWithKeyframe, isKept: true };
        const facts = { ...ingest.begin(), producerTimestamp: parts.now, lengthMs: 1000 };
        return await ingest.write({ ...facts, ...content });
      };
      const { number: firstNumber } = await write(0, true);
      const timeline = begin({ firstNumber });
      const shown = async () => {
        const window = await timeline.window(parts.now);
        assert.deepEqual(await begin({ firstNumber }).window(parts.now), window);
        const hidden = await timeline.at(window.entries.length, parts.now);
        assert.equal(hidden, undefined);
        return groupsOf(window);
      };
      const steps: number[][] = [await shown()];
      for (const [second, isKeyframe] of [false, true, false, true].entries()) {
        await write(1000 + second * 1000, isKeyframe);
        steps.push(await shown());
      }
      await ingest.close();
      steps.push(await shown());
      assert.deepEqual(steps, [[0], [1], [1], [1], [1, 1], [1, 1, 0]]);
    });
  });

  it('marks discontinuities always, never, or where more than 50 ms are missing or too many', async () => {
    await put([{ server: 0 }, { server: 1050 }, { server: 2101 }, { server: 3000 }, { server: 4000 }]);
    const marks = async (discontinuityMode: StreamingSession['discontinuityMode']) => {
      const timeline = begin({ mode: 'ON_DEMAND', discontinuityMode, maxFragments: 5, end: zero + 9000 });
      const { entries } = await timeline.window(parts.now);
      return entries.map((entry) => `${entry.isDiscontinuous ? '!' : ''}${entry.discontinuitiesBefore}`);
    };
    assert.deepEqual(await marks('ALWAYS'), ['!0', '!1', '!2', '!3', '!4']);
    assert.deepEqual(await marks('NEVER'), ['0', '0', '0', '0', '0']);
    assert.deepEqual(await marks('ON_DISCONTINUITY'), ['0', '0', '!0', '!1', '2']);
  });

  it('counts the configurations of the tracks, which a new connection may bring', async () => {
    await put(seconds(1));
    await put(seconds(1, 1));
    await put(seconds(1, 2), header({ number: 1 }, { number: 2, type: 'audio' }));
    await put(seconds(1, 3));
    const timeline = begin({ mode: 'ON_DEMAND', maxFragments: 9, end: zero + 9000 });
    const { entries } = await timeline.window(parts.now);
    assert.deepEqual(
      entries.map(({ initSequence }) => initSequence),
      [0, 0, 1, 2],
    );
    assert.equal((await timeline.configuration(1, parts.now))?.length, 2);
    assert.equal((await timeline.configuration(2, parts.now))?.length, 1);
    assert.equal(await timeline.configuration(3, parts.now), undefined);
  });

  it('holds what lies in its range, and nothing else', async () => {
    const [before, first, second, after] = await put(seconds(4));
    assert.ok(before && first && second && after);
    const live = begin({ firstNumber: first.number });
    assert.deepEqual(
      [before, first, after].map((record) => live.holds(record)),
      [false, true, true],
    );
    const archived = begin({ mode: 'ON_DEMAND', start: zero + 1000, end: zero + 2000 });
    assert.deepEqual(
      [before, first, second, after].map((record) => archived.holds(record)),
      [false, true, true, false],
    );
  });
});
