import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Browser, chromium } from 'playwright-core';
import { createStream } from '../harness/archived-video.ts';
import { type FfmpegMedia, makeMedia, withoutFfmpeg } from '../harness/ffmpeg-media.ts';
import { endOfFragment } from '../harness/matroska-builder.ts';
import { MediaSessions } from '../harness/media-sessions.ts';

const BROWSERS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const executablePath = BROWSERS.find((path) => existsSync(path));
const withoutBrowser = executablePath === undefined ? 'Chromium is not installed' : withoutFfmpeg;

/** A page of another origin than the platform, as players have it. It plays what its address names behind `#`. */
const PAGE = `<!doctype html><video muted autoplay width="160"></video><script src="/hls.js"></script><script>
  const video = document.querySelector('video');
  const seen = { faults: [], levels: 0 };
  const player = new Hls({ manifestLoadingMaxRetry: 0, lowLatencyMode: false });
  player.on(Hls.Events.ERROR, (_event, fault) => seen.faults.push([fault.type, fault.details, fault.fatal].join(' ')));
  player.on(Hls.Events.LEVEL_UPDATED, () => { seen.levels += 1; });
  player.loadSource(location.hash.slice(1));
  player.attachMedia(video);
</script>`;

interface Seen {
  readonly seconds: number;
  readonly frames: number;
  readonly levels: number;
  readonly width: number;
  readonly hasSound: boolean;
  readonly fatal: readonly string[];
}

const SEEN = `({
  seconds: video.currentTime - (video.played.length > 0 ? video.played.start(0) : 0),
  frames: video.getVideoPlaybackQuality().totalVideoFrames,
  levels: seen.levels,
  width: video.videoWidth,
  hasSound: video.webkitAudioDecodedByteCount > 0,
  fatal: seen.faults.filter((fault) => fault.endsWith(' true')),
})`;

describe('hls.js in a browser', { skip: withoutBrowser }, () => {
  let sessions: MediaSessions;
  let film: FfmpegMedia;
  let pages: Server;
  let browser: Browser;

  before(async () => {
    sessions = await MediaSessions.start();
    film = makeMedia({ audio: 'aac' });
    const script = readFileSync(new URL(import.meta.resolve('hls.js/dist/hls.min.js')));
    pages = createServer((request, response) => {
      const isScript = request.url === '/hls.js';
      response.writeHead(200, { 'content-type': isScript ? 'text/javascript' : 'text/html' });
      response.end(isScript ? script : PAGE);
    });
    await new Promise<void>((resolve) => pages.listen(0, '127.0.0.1', resolve));
    browser = await chromium.launch({
      ...(executablePath !== undefined && { executablePath }),
      args: ['--no-sandbox', '--autoplay-policy=no-user-gesture-required'],
    });
  });
  after(async () => {
    await browser?.close();
    pages?.close();
    await sessions?.stop();
  });

  /** Plays a session until a few seconds of it were shown. */
  async function watch(address: string, seconds: number): Promise<Seen> {
    const page = await browser.newPage();
    try {
      await page.goto(`http://127.0.0.1:${(pages.address() as AddressInfo).port}/#${address}`);
      await page.waitForFunction(`${SEEN}.seconds >= ${seconds} || ${SEEN}.fatal.length > 0`, undefined, {
        timeout: 60_000,
      });
      return await page.evaluate<Seen>(SEEN);
    } finally {
      await page.close();
    }
  }

  /** Sends the film over and over, as fast as it plays, until the signal. Says when the first fragment is durable. */
  async function broadcast(stream: string, signal: AbortSignal, tellFirst: () => void): Promise<void> {
    const producer = await sessions.connect(stream, film);
    const begun = Date.now();
    for (let index = 0; !signal.aborted; index++) {
      const fragment = film.fragments[index % film.fragments.length];
      const round = Math.floor(index / film.fragments.length);
      producer.send(fragment?.cluster(begun + round * 4000) ?? Buffer.alloc(0), endOfFragment());
      await producer.ack('PERSISTED');
      tellFirst();
      await sleep(Math.max(0, begun + (index + 1) * 1000 - Date.now()), undefined, { signal }).catch(() => {});
    }
    producer.end();
  }

  for (const settings of [
    { ContainerFormat: 'FRAGMENTED_MP4' },
    { ContainerFormat: 'MPEG_TS', HLSFragmentSelector: { FragmentSelectorType: 'PRODUCER_TIMESTAMP' } },
  ] as const) {
    it(`plays a live session while it is being sent: ${settings.ContainerFormat}`, async () => {
      const stream = `live-${settings.ContainerFormat}`;
      await createStream(sessions.platform, stream);
      const ending = new AbortController();
      const first = Promise.withResolvers<void>();
      const sending = broadcast(stream, ending.signal, first.resolve);
      sending.catch(first.reject);
      try {
        await first.promise;
        const address = await sessions.hls({ StreamName: stream, ...settings });
        const { fatal, width, frames, levels, hasSound } = await watch(address, 3);
        assert.deepEqual(fatal, []);
        assert.deepEqual([width, hasSound], [160, true]);
        assert.ok(frames > 25, `${frames} frames were shown`);
        assert.ok(levels > 1, 'the playlist was fetched again');
      } finally {
        ending.abort();
        await sending;
      }
    });
  }

  it('stops where the session has no right to go on', async () => {
    await createStream(sessions.platform, 'refused');
    await sessions.produce('refused', film, Date.now());
    const address = await sessions.hls({ StreamName: 'refused' });
    const { fatal } = await watch(address.replace(/.~$/, '~'), 1);
    assert.deepEqual(fatal, ['networkError manifestLoadError true']);
  });
});
