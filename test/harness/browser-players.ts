import { existsSync, readFileSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';
import { withoutFfmpeg } from './ffmpeg-media.ts';

const BROWSERS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const executablePath = BROWSERS.find((path) => existsSync(path));

/** Why players in a browser cannot be tested here; `undefined` where they can. */
export const withoutPlayers = executablePath === undefined ? 'Chromium is not installed' : withoutFfmpeg;

/** What a page is to play; it stands behind the `#` of its address, in JSON. */
export interface PlayerWish {
  readonly url: string;
  /** dash.js and hls.js: where ClearKey's licences are asked for. */
  readonly licenceUrl?: string;
  /** hls.js: a DRM system of the playlist's, for which the browser's ClearKey is put in. */
  readonly shapedAs?: 'com.widevine.alpha' | 'com.microsoft.playready';
  /** hls.js: goes behind the addresses of keys. */
  readonly keyToken?: string;
}

/** What was to be seen. */
export interface Seen {
  /** Of the media, from where it began. */
  readonly seconds: number;
  readonly frames: number;
  readonly width: number;
  readonly hasSound: boolean;
  /** Errors after which a player gives up. */
  readonly fatal: readonly string[];
  readonly isProtected: boolean;
  /** When each caption begins, in seconds, and its text. */
  readonly captions: readonly { readonly from: number; readonly text: string }[];
}

const VIDEO = '<!doctype html><video muted autoplay width="160"></video>';
const COMMON = `
  const video = document.querySelector('video');
  const wish = JSON.parse(decodeURIComponent(location.hash.slice(1)));
  window.faults = [];
  video.addEventListener('error', () => faults.push('media error ' + video.error?.code + ' ' + video.error?.message));
`;

const DASH_PAGE = `${VIDEO}<script type="module">
  import dashjs from '/dash.js';
  ${COMMON}
  const player = dashjs.MediaPlayer().create();
  player.updateSettings({ debug: { logLevel: 0 }, streaming: { protection: { ignoreEmeEncryptedEvent: true } } });
  player.on('error', ({ error }) => faults.push('dash.js ' + (error?.code ?? '') + ' ' + (error?.message ?? error)));
  if (wish.licenceUrl) player.setProtectionData({ 'org.w3.clearkey': { serverURL: wish.licenceUrl } });
  player.initialize(video, wish.url, true);
</script>`;

const HLS_PAGE = `${VIDEO}<script src="/hls.js"></script><script>
  ${COMMON}
  const clearKey = 'org.w3.clearkey';
  // Says which keys it is about, in the form that ClearKey takes: the DRM system's own box is for that system alone.
  const generateRequest = (_type, _data, { decryptdata }) => {
    const kid = btoa(String.fromCharCode(...decryptdata.keyId)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
    return { initDataType: 'keyids', initData: new TextEncoder().encode(JSON.stringify({ kids: [kid] })).buffer };
  };
  const shaped = wish.shapedAs && {
    requestMediaKeySystemAccessFunc: (_system, wanted) =>
      navigator.requestMediaKeySystemAccess(clearKey, wanted.map((one) => ({ ...one, initDataTypes: ['cenc', 'keyids'] }))),
  };
  const player = new Hls({
    emeEnabled: Boolean(wish.licenceUrl),
    ...(wish.licenceUrl && {
      drmSystems: { [wish.shapedAs ?? clearKey]: { licenseUrl: wish.licenceUrl, ...(wish.shapedAs && { generateRequest }) } },
    }),
    ...shaped,
    xhrSetup(xhr, url) {
      if (wish.keyToken && url.includes('/play/')) xhr.open('GET', url + '?token=' + wish.keyToken, true);
    },
  });
  player.on(Hls.Events.ERROR, (_event, fault) => { if (fault.fatal) faults.push('hls.js ' + fault.details + ' ' + fault.error?.message); });
  player.loadSource(wish.url);
  player.attachMedia(video);
</script>`;

/** What a content host has beside content, for these players. */
export function playerFiles(): ReadonlyMap<string, Buffer> {
  return new Map([
    ['/dash.html', Buffer.from(DASH_PAGE)],
    ['/hls.html', Buffer.from(HLS_PAGE)],
    ['/dash.js', readFileSync(new URL(import.meta.resolve('dashjs')))],
    ['/hls.js', readFileSync(new URL(import.meta.resolve('hls.js/dist/hls.min.js')))],
  ]);
}

const SEEN = `(() => {
  const video = document.querySelector('video');
  return {
    seconds: video.currentTime - (video.played.length > 0 ? video.played.start(0) : 0),
    frames: video.getVideoPlaybackQuality().totalVideoFrames,
    width: video.videoWidth,
    hasSound: video.webkitAudioDecodedByteCount > 0,
    fatal: window.faults,
    isProtected: video.mediaKeys !== null,
    captions: [...video.textTracks].flatMap((track) => [...(track.cues ?? [])].map((cue) => ({ from: cue.startTime, text: cue.text }))),
  };
})()`;

/** dash.js and hls.js in headless Chromium. */
export class BrowserPlayers {
  readonly #browser: Browser;

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  static async start(): Promise<BrowserPlayers> {
    const browser = await chromium.launch({
      ...(executablePath !== undefined && { executablePath }),
      args: ['--no-sandbox', '--autoplay-policy=no-user-gesture-required'],
    });
    return new BrowserPlayers(browser);
  }

  /**
   * Plays until some seconds were shown, or the player gave up.
   *
   * @param page the address of the player's page on a content host
   */
  async watch(page: string, wish: PlayerWish, seconds: number): Promise<Seen> {
    const tab = await this.#browser.newPage();
    try {
      await tab.goto(`${page}#${encodeURIComponent(JSON.stringify(wish))}`);
      await tab.waitForFunction(`(${SEEN}).seconds >= ${seconds} || (${SEEN}).fatal.length > 0`, undefined, {
        timeout: 30_000,
      });
      return await tab.evaluate<Seen>(SEEN);
    } finally {
      await tab.close();
    }
  }

  async stop(): Promise<void> {
    await this.#browser.close();
  }
}
