import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type ColouredVideo, makeColouredVideo } from '#test/harness/coloured-video.ts';
import { openPicture } from '#test/harness/picture.ts';
import { planStillJob } from './plan-still-job.ts';
import type { PictureSettings, Still, StillJob } from './still-job.ts';
import { DEFAULT_STILLS_LIMITS, StillsBusyError, StillsPool, type StillsPoolLimits } from './stills-pool.ts';

const JPEG: PictureSettings = { format: 'JPEG', quality: 80 };
const NEVER = new AbortController().signal;

function makePool(limits: Partial<StillsPoolLimits> = {}): StillsPool & Disposable {
  const pool = new StillsPool({ ...DEFAULT_STILLS_LIMITS, workers: 1, ...limits });
  return Object.assign(pool, { [Symbol.dispose]: () => pool.close() });
}

async function decode(pool: StillsPool, job: StillJob, owner = 'a'): Promise<readonly Still[]> {
  using lease = await pool.lease(owner, NEVER);
  return await lease.decode(job);
}

const colourOf = async (still: Still) => (still === undefined ? undefined : (await openPicture(still)).colour);
const coloursOf = (stills: readonly Still[]) => Promise.all(stills.map(colourOf));

function jobOf(video: ColouredVideo, wanted: readonly number[], picture = JPEG): StillJob {
  const job = planStillJob(video.track, video.frames, wanted, {
    picture,
    maximumBytes: Number.POSITIVE_INFINITY,
    maximumMs: Number.POSITIVE_INFINITY,
  });
  assert.ok(job);
  return job;
}

describe('stills', () => {
  let video: ColouredVideo;
  let pool: StillsPool;
  before(async () => {
    video = await makeColouredVideo({ colours: ['red', 'lime', 'blue'], fragmentSeconds: 3, width: 160, height: 96 });
    pool = makePool();
  });
  after(() => pool.close());

  for (const codec of ['h264', 'hevc'] as const) {
    it(`shows what was to be seen at each time, from ${codec}`, async () => {
      const film = await makeColouredVideo({ codec, colours: ['red', 'lime', 'white', 'blue'], fragmentSeconds: 2 });
      const stills = await decode(pool, jobOf(film, [0, 450, 950, 1000, 1999, 2000, 2999, 3500, 9000]));
      const seen = ['red', 'red', 'red', 'lime', 'lime', 'white', 'white', 'blue', 'blue'];
      assert.deepEqual(await coloursOf(stills), seen);
    });
  }

  it('has the frames decoded that lead to the pictures, and no others', async () => {
    const film = await makeColouredVideo({ colours: ['red', 'lime', 'white', 'blue'] });
    assert.equal(film.frames.length, 40);
    const job = jobOf(film, [2500]);
    assert.ok(job.frames.length <= 8, `${job.frames.length} frames`);
    assert.equal(job.frames[0]?.timeMs, 2000);
    assert.deepEqual(await coloursOf(await decode(pool, job)), ['white']);
  });

  it('scales: to the size that is asked for, by the height alone in proportion, and not at all', async () => {
    for (const [size, expected] of [
      [{}, [160, 96]],
      [{ width: 50, height: 200 }, [50, 200]],
      [{ height: 48 }, [80, 48]],
      [{ width: 33, height: 17 }, [33, 17]],
    ] as const) {
      for (const format of ['JPEG', 'PNG'] as const) {
        const [still] = await decode(pool, jobOf(video, [1500], { format, quality: 80, ...size }));
        assert.ok(still);
        const picture = await openPicture(still);
        assert.deepEqual(picture, { format, width: expected[0], height: expected[1], colour: 'lime' });
      }
    }
  });

  it('takes the better quality for the larger picture', async () => {
    const film = await makeColouredVideo({ colours: ['red'], pattern: 'testsrc2', width: 640, height: 360 });
    let smaller = 0;
    for (const quality of [1, 30, 60, 80, 100]) {
      const [still] = await decode(pool, jobOf(film, [0], { format: 'JPEG', quality }));
      assert.ok(still && still.length > smaller * 1.1, `quality ${quality}: ${still?.length} after ${smaller} bytes`);
      smaller = still.length;
    }
  });

  it('gives no picture from a damaged frame on, and those before it', async () => {
    const { frames, ...job } = jobOf(video, [500, 1500, 2500]);
    const damaged = frames.map((frame) =>
      frame.timeMs >= 1400 && frame.timeMs < 2000 ? { ...frame, payload: Buffer.alloc(200, 0x55) } : frame,
    );
    const stills = await decode(pool, { ...job, frames: damaged });
    assert.deepEqual(await coloursOf(stills), ['red', undefined, undefined]);
  });

  it('makes no more pictures than may be sent at once', async () => {
    const job = jobOf(video, [0, 500, 1500, 2500]);
    const all = await decode(pool, job);
    const maximumBytes = (all[0]?.length ?? 0) + (all[1]?.length ?? 0);
    assert.deepEqual(await decode(pool, { ...job, maximumBytes }), all.slice(0, 2));
    assert.deepEqual(await decode(pool, { ...job, maximumBytes: maximumBytes + 1 }), all.slice(0, 3));
    assert.deepEqual(await decode(pool, { ...job, maximumBytes: 1 }), all.slice(0, 1));
    assert.deepEqual(await decode(pool, { ...job, maximumMs: 0 }), all.slice(0, 1));
  });

  it('gives no picture where the media is something else, and goes on with the next', async () => {
    const job = jobOf(video, [0, 1000]);
    const none = [undefined, undefined];
    assert.deepEqual(await decode(pool, { ...job, codec: 'hevc' }), none);
    assert.deepEqual(await decode(pool, { ...job, codecPrivate: Buffer.from('nonsense') }), none);
    assert.deepEqual(await decode(pool, { ...job, frames: [] }), none);
    assert.deepEqual(await decode(pool, { ...job, frames: [{ timeMs: 0, payload: Buffer.alloc(0) }] }), none);
    const tooLarge = { format: 'PNG', quality: 1, width: 60_000, height: 60_000 } as const;
    assert.deepEqual(await decode(pool, { ...job, picture: tooLarge }), none);
    assert.deepEqual(await coloursOf(await decode(pool, job)), ['red', 'lime']);
  });
});

describe('the stills pool', () => {
  let job: StillJob;
  let endless: StillJob;
  before(async () => {
    const video = await makeColouredVideo({ colours: ['red'] });
    job = jobOf(video, [0]);
    // The same frames over and over, each with a picture of its own that is made as large as may be.
    const frames = Array.from({ length: 20_000 }, (_, index) => ({
      timeMs: index * 1000,
      payload: job.frames[0]?.payload ?? Buffer.alloc(0),
    }));
    const picture = { format: 'PNG', quality: 1, width: 3840, height: 2160 } as const;
    endless = { ...job, frames, wanted: frames.map(({ timeMs }) => timeMs), picture };
  });

  it('replaces a worker that dies, whose pictures are lost', async () => {
    using pool = makePool();
    await decode(pool, job);
    const [pid] = pool.pids;
    assert.ok(pid);
    const doomed = decode(pool, endless);
    await delay(50);
    process.kill(pid, 'SIGKILL');
    assert.deepEqual(new Set(await doomed), new Set([undefined]));
    assert.deepEqual(await coloursOf(await decode(pool, job)), ['red']);
    assert.notEqual(pool.pids[0], pid);
  });

  it('ends a job that takes too long, also in a worker that does not even stop itself', async () => {
    using pool = makePool({ jobMs: 2000 });
    await decode(pool, job);
    assert.deepEqual(new Set(await decode(pool, endless)), new Set([undefined]));
    await decode(pool, job);
    const [pid] = pool.pids;
    assert.ok(pid);
    const stopped = decode(pool, endless);
    process.kill(pid, 'SIGSTOP');
    assert.deepEqual(new Set(await stopped), new Set([undefined]));
    assert.deepEqual(await coloursOf(await decode(pool, job)), ['red']);
  });

  it('ends a worker that needs too much memory', { timeout: 60_000 }, async () => {
    using pool = makePool({ memoryBytes: 1024 ** 2, jobMs: 600_000 });
    assert.deepEqual(new Set(await decode(pool, endless)), new Set([undefined]));
  });

  it('never lets one process see the media of two owners', async () => {
    using pool = makePool();
    await decode(pool, job, 'a');
    const [first] = pool.pids;
    await decode(pool, job, 'a');
    assert.deepEqual(pool.pids, [first], 'the same owner again gets the same process');
    await decode(pool, job, 'b');
    assert.notEqual(pool.pids[0], first);
  });

  it('runs so many workers and no more, lets so many wait, and refuses the rest', async () => {
    using pool = makePool({ workers: 2, waiting: 1, waitMs: 60_000 });
    const [one, two] = [await pool.lease('a', NEVER), await pool.lease('b', NEVER)];
    const third = pool.lease('c', NEVER);
    await assert.rejects(pool.lease('d', NEVER), StillsBusyError);
    await Promise.all([one.decode(job), two.decode(job)]);
    assert.equal(pool.pids.length, 2);
    one[Symbol.dispose]();
    using lease = await third;
    assert.deepEqual(await coloursOf(await lease.decode(job)), ['red']);
    assert.equal(pool.pids.length, 2);
    two[Symbol.dispose]();
  });

  it('lets nobody wait for ever, nor one who has gone', async () => {
    using pool = makePool({ waitMs: 20 });
    using _busy = await pool.lease('a', NEVER);
    await assert.rejects(pool.lease('b', NEVER), StillsBusyError);
    using patient = makePool({ waitMs: 60_000 });
    const held = await patient.lease('a', NEVER);
    const controller = new AbortController();
    const gone = patient.lease('b', controller.signal);
    controller.abort();
    await assert.rejects(gone, StillsBusyError);
    held[Symbol.dispose]();
    using _next = await patient.lease('c', NEVER);
  });

  it('ends workers that have nothing to do, and all of them at its end', async () => {
    const pool = makePool({ idleMs: 50 });
    await decode(pool, job);
    while (pool.pids.length > 0) await delay(10);
    const lost = decode(pool, endless);
    while (pool.pids.length === 0) await delay(10);
    pool.close();
    assert.deepEqual(new Set(await lost), new Set([undefined]));
    assert.deepEqual(pool.pids, []);
    await assert.rejects(pool.lease('a', NEVER), StillsBusyError);
  });
});
