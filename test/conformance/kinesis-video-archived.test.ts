import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type Fragment,
  type FragmentSelectorType,
  GetMediaForFragmentListCommand,
  KinesisVideoArchivedMediaClient,
  ListFragmentsCommand,
  type ListFragmentsInput,
  paginateListFragments,
} from '@aws-sdk/client-kinesis-video-archived-media';
import fc from 'fast-check';
import { chunksOf, createStream, putFragments } from '../harness/archived-video.ts';
import { cluster, header, producerTag, simpleBlock } from '../harness/matroska-builder.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

const BASE = Date.UTC(2026, 5, 1, 12);
const STEP = 2000;
const COUNT = 23;

describe('archived fragments', () => {
  let platform: TestPlatform;
  let client: KinesisVideoArchivedMediaClient;
  let arn: string;
  let numbers: string[];
  const clusters = Array.from({ length: COUNT }, (_, index) =>
    cluster(BASE + index * STEP, {
      blocks: [0, 500].map((time) => simpleBlock({ time, payload: Buffer.alloc(100 + index, index) })),
      size: 8,
    }),
  );

  before(async () => {
    platform = await startTestPlatform();
    client = new KinesisVideoArchivedMediaClient(platform.clientConfig());
    arn = await createStream(platform, 'camera');
    numbers = await putFragments(platform, 'camera', header(), clusters);
  });
  after(async () => {
    client.destroy();
    await platform.stop();
  });

  const selector = (FragmentSelectorType: FragmentSelectorType, start: number, end: number) => ({
    FragmentSelectorType,
    TimestampRange: { StartTimestamp: new Date(start), EndTimestamp: new Date(end) },
  });
  const everything = selector('PRODUCER_TIMESTAMP', 0, Date.now() * 2);
  const list = (input: Partial<ListFragmentsInput>) =>
    client.send(new ListFragmentsCommand({ StreamName: 'camera', ...input }));
  const numbersOf = (fragments: readonly Fragment[] | undefined) => fragments?.map((one) => one.FragmentNumber);
  const refused = (message: RegExp) => ({ name: 'InvalidArgumentException', message, $fault: 'client' });

  describe('ListFragments', () => {
    it('tells the number, size, times and length of each', async () => {
      const begun = Date.now() - 60_000;
      const { Fragments, NextToken } = await list({ FragmentSelector: everything });
      assert.equal(NextToken, undefined);
      assert.deepEqual(numbersOf(Fragments), numbers);
      Fragments?.forEach((fragment, index) => {
        assert.equal(fragment.FragmentSizeInBytes, clusters[index]?.length);
        assert.equal(fragment.ProducerTimestamp?.getTime(), BASE + index * STEP);
        assert.equal(fragment.FragmentLengthInMilliseconds, 1000);
        const server = fragment.ServerTimestamp?.getTime() ?? 0;
        assert.ok(server > begun && server <= Date.now());
      });
    });

    it('takes fragments that begin within the range, both its ends included', async () => {
      const between = async (start: number, end: number) =>
        numbersOf(
          (await list({ FragmentSelector: selector('PRODUCER_TIMESTAMP', BASE + start, BASE + end) })).Fragments,
        );
      assert.deepEqual(await between(1000, 4000), numbers.slice(1, 3));
      assert.deepEqual(await between(2000, 2000), numbers.slice(1, 2));
      assert.deepEqual(await between(2001, 3999), []);
      assert.deepEqual(await between(-10_000, -1), []);
    });

    it('takes the server’s time instead where that is asked for', async () => {
      const all = await list({ FragmentSelector: selector('SERVER_TIMESTAMP', 0, Date.now()) });
      assert.deepEqual(numbersOf(all.Fragments), numbers);
      const times = all.Fragments?.map((one) => one.ServerTimestamp?.getTime() ?? 0) ?? [];
      const [first = 0] = times;
      const some = await list({ FragmentSelector: selector('SERVER_TIMESTAMP', first, first) });
      assert.equal(some.Fragments?.length, times.filter((time) => time === first).length);
      const none = await list({ FragmentSelector: selector('SERVER_TIMESTAMP', BASE, BASE + COUNT * STEP) });
      assert.deepEqual(none.Fragments, []);
    });

    it('gives the same listing whatever the size of the pages', async () => {
      const kinds = fc.constantFrom('PRODUCER_TIMESTAMP' as const, 'SERVER_TIMESTAMP' as const);
      const bound = fc.integer({ min: 0, max: COUNT });
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 1, max: COUNT + 2 }), kinds, bound, bound, async (size, kind, a, b) => {
          const isServer = kind === 'SERVER_TIMESTAMP';
          const [start, end] = [Math.min(a, b), Math.max(a, b)];
          const range = isServer ? ([0, Date.now()] as const) : ([BASE + start * STEP, BASE + end * STEP - 1] as const);
          const input = { StreamARN: arn, FragmentSelector: selector(kind, ...range) };
          if (range[0] > range[1]) return;
          const found: (string | undefined)[] = [];
          for await (const page of paginateListFragments({ client, pageSize: size }, input)) {
            assert.ok(found.length <= COUNT, 'it comes to an end');
            assert.ok((page.Fragments?.length ?? 0) <= size);
            found.push(...(numbersOf(page.Fragments) ?? []));
          }
          assert.deepEqual(found, isServer ? numbers : numbers.slice(start, end));
        }),
        { numRuns: 25 },
      );
    });

    it('leaves out no fragment, and repeats none, where several have the same time', async () => {
      await createStream(platform, 'again');
      const put: string[] = [];
      for (let connection = 0; connection < 3; connection++) {
        put.push(...(await putFragments(platform, 'again', header(), clusters.slice(0, 3))));
      }
      const byTime = [0, 1, 2].flatMap((index) => [put[index], put[index + 3], put[index + 6]]);
      for (let size = 1; size <= 10; size++) {
        const found: (string | undefined)[] = [];
        const input = { StreamName: 'again', FragmentSelector: everything };
        for await (const page of paginateListFragments({ client, pageSize: size }, input)) {
          assert.ok(found.length <= byTime.length, 'it comes to an end');
          found.push(...(numbersOf(page.Fragments) ?? []));
        }
        assert.deepEqual(found, byTime);
      }
    });

    it('goes on from a token alone, and refuses every other text in its place', async () => {
      const first = await list({ FragmentSelector: everything, MaxResults: 5 });
      const token = first.NextToken ?? '';
      assert.deepEqual(numbersOf((await list({ NextToken: token, MaxResults: 1 })).Fragments), numbers.slice(5, 6));
      const bytes = Buffer.from(token, 'base64');
      const changed = Array.from({ length: bytes.length }, (_, index) => {
        const copy = Buffer.from(bytes);
        copy[index] = (copy[index] ?? 0) ^ 1;
        return copy.toString('base64');
      });
      const forged = [randomBytes(80), Buffer.alloc(0), Buffer.from('{"by":"server","start":0,"end":9}')];
      for (const NextToken of [...changed, ...forged.map((text) => text.toString('base64') || 'AAAA')]) {
        await assert.rejects(
          list({ NextToken }),
          refused(/^NextToken is not a token of this operation on this stream/),
        );
      }
      await createStream(platform, 'another');
      await assert.rejects(list({ StreamName: 'another', NextToken: token }), refused(/^NextToken is not a token/));
      const other = selector('PRODUCER_TIMESTAMP', 1, Date.now());
      await assert.rejects(
        list({ NextToken: token, FragmentSelector: other }),
        refused(/^NextToken belongs to another FragmentSelector/),
      );
    });

    it('refuses what it cannot make sense of, by name', async () => {
      await assert.rejects(list({}), refused(/^FragmentSelector is required where there is no NextToken/));
      const reversed = selector('SERVER_TIMESTAMP', 2, 1);
      await assert.rejects(list({ FragmentSelector: reversed }), refused(/^StartTimestamp is later than EndTimestamp/));
      for (const MaxResults of [0, 1001]) {
        await assert.rejects(list({ FragmentSelector: everything, MaxResults }), refused(/'MaxResults'|'maxResults'/));
      }
      await assert.rejects(list({ StreamName: 'nowhere', FragmentSelector: everything }), {
        name: 'ResourceNotFoundException',
      });
      const nameless = new ListFragmentsCommand({ FragmentSelector: everything });
      await assert.rejects(client.send(nameless), refused(/^Either StreamName or StreamARN is required/));
    });

    it('lists nothing of a stream that keeps nothing', async () => {
      await createStream(platform, 'passing', { DataRetentionInHours: 0 });
      await putFragments(platform, 'passing', header(), clusters.slice(0, 2), { kept: 'RECEIVED' });
      assert.deepEqual((await list({ StreamName: 'passing', FragmentSelector: everything })).Fragments, []);
    });
  });

  describe('GetMediaForFragmentList', () => {
    const get = async (Fragments: readonly string[], StreamName = 'camera', from = client) => {
      const answer = await from.send(new GetMediaForFragmentListCommand({ StreamName, Fragments: [...Fragments] }));
      return { type: answer.ContentType, payload: answer.Payload as Readable };
    };
    const chunks = async (Fragments: readonly string[], StreamName?: string) =>
      chunksOf(await buffer((await get(Fragments, StreamName)).payload));

    it('gives the fragments in the order in which they are asked for, byte by byte as they came', async () => {
      const order = [4, 0, 22, 4, 11];
      const { type, payload } = await get(order.map((index) => numbers[index] ?? ''));
      assert.equal(type, 'video/webm');
      const found = chunksOf(await buffer(payload));
      assert.equal(found.length, order.length);
      found.forEach(({ bytes, tags, cluster: given }, index) => {
        const at = order[index] ?? 0;
        assert.deepEqual(given, clusters[at]);
        assert.deepEqual(bytes.subarray(0, header().length), header());
        assert.equal(tags['AWS_KINESISVIDEO_FRAGMENT_NUMBER'], numbers[at]);
        const producer = ((BASE + at * STEP) / 1000).toFixed(3);
        assert.equal(tags['AWS_KINESISVIDEO_PRODUCER_TIMESTAMP'], producer);
        assert.equal(tags['AWS_KINESISVIDEO_PRODUCER_SIDE_TIMESTAMP'], producer);
        assert.match(tags['AWS_KINESISVIDEO_SERVER_TIMESTAMP'] ?? '', /^\d{10}\.\d{3}$/);
        assert.equal(tags['AWS_KINESISVIDEO_SERVER_SIDE_TIMESTAMP'], tags['AWS_KINESISVIDEO_SERVER_TIMESTAMP']);
        assert.ok(!('AWS_KINESISVIDEO_CONTINUATION_TOKEN' in tags) && !('AWS_KINESISVIDEO_ERROR_ID' in tags));
      });
    });

    it('gives a producer’s own tags with their fragment, and each connection’s own header', async () => {
      await createStream(platform, 'tagged');
      const other = header({ number: 1 }, { number: 2, type: 'audio' });
      const both = cluster(BASE, { blocks: [simpleBlock(), simpleBlock({ track: 2 })], size: 8 });
      const tagged = Buffer.concat([clusters[1] ?? Buffer.alloc(0), producerTag('door', 'open')]);
      const [first = ''] = await putFragments(platform, 'tagged', header(), [tagged]);
      const [second = ''] = await putFragments(platform, 'tagged', other, [both]);
      const [one, two] = await chunks([second, first], 'tagged');
      assert.deepEqual(
        [one?.cluster, one?.bytes.subarray(0, other.length), one?.tags['door']],
        [both, other, undefined],
      );
      assert.deepEqual([two?.cluster, two?.tags['door']], [clusters[1], 'open']);
    });

    it('puts error tags in the place of a fragment that is not there, and goes on', async () => {
      const missing = (BigInt(numbers[3] ?? '0') + 1n).toString();
      const found = await chunks([numbers[2] ?? '', missing, '7', numbers[3] ?? '']);
      assert.deepEqual(
        found.map((chunk) => chunk.cluster),
        [clusters[2], undefined, undefined, clusters[3]],
      );
      assert.deepEqual(
        found.slice(1, 3).map(({ tags }) => tags),
        [missing, '7'].map((number) => ({
          AWS_KINESISVIDEO_ERROR_CODE: 'FRAGMENT_NOT_FOUND',
          AWS_KINESISVIDEO_ERROR_ID: '3000',
          AWS_KINESISVIDEO_FRAGMENT_NUMBER: number,
          AWS_KINESISVIDEO_EXCEPTION_ERROR_CODE: '3000',
          AWS_KINESISVIDEO_EXCEPTION_MESSAGE: 'The fragment does not exist, or is no longer kept.',
        })),
      );
      await createStream(platform, 'empty');
      const [foreign] = await chunks([numbers[0] ?? ''], 'empty');
      assert.equal(foreign?.tags['AWS_KINESISVIDEO_ERROR_CODE'], 'FRAGMENT_NOT_FOUND');
    });

    it('refuses lists that are empty, too long or no numbers', async () => {
      for (const fragments of [[], Array.from({ length: 1001 }, () => '1'), ['one'], ['1'.repeat(129)]]) {
        await assert.rejects(get(fragments), { name: 'InvalidArgumentException' });
      }
    });

    it('lets five connections read from a stream at once', async () => {
      await createStream(platform, 'busy');
      const blocks = [simpleBlock({ time: 0 }), simpleBlock({ time: 40, payload: Buffer.alloc(16_000, 1) })];
      const large = cluster(BASE, { blocks: Array.from({ length: 40 }, () => blocks[1] ?? Buffer.alloc(0)), size: 8 });
      const [number = ''] = await putFragments(platform, 'busy', header(), [large]);
      const many = Array.from({ length: 1000 }, () => number);
      // Nobody reads them, and they are far more than the sockets hold.
      const open: Readable[] = [];
      for (let count = 0; count < 5; count++) open.push((await get(many, 'busy')).payload);
      await assert.rejects(get(many, 'busy'), { name: 'ClientLimitExceededException' });
      await get([numbers[0] ?? '']);
      open.pop()?.destroy();
      let last: Readable | undefined;
      for (let wait = 0; wait < 500 && last === undefined; wait++) {
        await delay(10);
        last = (await get([number], 'busy').catch(() => undefined))?.payload;
      }
      assert.ok(last, 'a connection that has ended makes room for another');
      assert.deepEqual(chunksOf(await buffer(last))[0]?.cluster, large);
      for (const payload of open) payload.destroy();
    });
  });
});
