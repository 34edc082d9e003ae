import type { Stream } from 'node-av/lib';
import type { AudioCodecSettings } from '../audio-codec-settings.ts';
import type { AudioSettings, Remix } from '../audio-settings.ts';
import type { Loudness } from '../loudness/loudness-meter.ts';
import { uriOf } from '../media-location.ts';
import { ERROR_CODES, TranscodeError, unableToOpen } from '../transcode-error.ts';
import type { AudioSelector, MediaLocation, TranscodeInput } from '../transcode-input.ts';
import { languageTag } from './language-tag.ts';
import { AudioEncoder } from './audio-encoder.ts';
import type { AudioRoute } from './audio-feeds.ts';
import type { AuxiliaryPort } from './auxiliary.ts';
import { composed } from './channel-mix.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import { correctionFilters, gainFor, isLimited, LoudnessTarget } from './loudness-target.ts';
import { MediaInput } from './media-input.ts';
import type { SampleTarget } from './sample-target.ts';

/** Sound that several outputs may share. */
export interface SharedAudio {
  readonly encoder: AudioEncoder;
  /** As it was asked for, with what the first input decides. */
  readonly settings: AudioSettings;
  /** Called when the encoder has given its last packet. */
  readonly ends: (() => void)[];
}

/** The external files that sound comes from: opened at first use, one at a time each, until the input ends. */
export interface ExternalFiles {
  open(location: MediaLocation): MediaInput;
  close(): void;
}

/** All sound of a job: one encoder for each way of encoding that any of the outputs asks for. */
export class AudioTracks {
  readonly #ffmpeg: FFmpeg;
  readonly #tracks = new Map<string, SharedAudio>();
  readonly #meters = new Map<string, LoudnessTarget>();
  readonly #extraGains = new Map<string, number>();

  constructor(ffmpeg: FFmpeg) {
    this.#ffmpeg = ffmpeg;
  }

  get all(): readonly SharedAudio[] {
    return [...this.#tracks.values()];
  }

  /** Outputs that ask for the same sound share one encoder. */
  open(settings: AudioSettings): SharedAudio {
    const key = keyOf(settings);
    const known = this.#tracks.get(key);
    if (known !== undefined) return known;
    const encoder = new AudioEncoder(this.#ffmpeg, settings.codec, this.#tracks.size + 1);
    const measured = this.measuredOf(settings);
    if (settings.loudness !== undefined && measured !== undefined) {
      const facts = { rate: settings.codec.sampleRate, extraGain: this.#extraGains.get(key) ?? 0 };
      encoder.correction = correctionFilters(settings.loudness, measured, facts);
    }
    const shared = { encoder, settings, ends: [] };
    this.#tracks.set(key, shared);
    return shared;
  }

  /** What listens to sound whose loudness is to be known, before any encoder is opened. */
  meterFor(settings: AudioSettings): LoudnessTarget {
    const key = keyOf(settings);
    const meter = this.#meters.get(key) ?? new LoudnessTarget(this.#ffmpeg, settings.codec);
    this.#meters.set(key, meter);
    return meter;
  }

  /**
   * What listens once more, behind the limiter, to sound whose peaks are too high: a limiter makes it quieter, which a
   * little more gain can make up for. `settle` is called when all was heard.
   *
   * @returns undefined for sound that is not limited
   */
  limitedMeterFor(
    settings: AudioSettings,
  ): { readonly meter: LoudnessTarget; readonly settle: () => void } | undefined {
    const { loudness, codec } = settings;
    const measured = this.measuredOf(settings);
    if (loudness === undefined || measured === undefined || !isLimited(loudness, measured)) return undefined;
    const meter = new LoudnessTarget(this.#ffmpeg, codec);
    meter.correction = correctionFilters(loudness, measured, { rate: codec.sampleRate, extraGain: 0 });
    const wanted = measured.integrated + gainFor(loudness, measured);
    return {
      meter,
      settle: () => {
        const lost = wanted - meter.measured(loudness.isGated).integrated;
        this.#extraGains.set(keyOf(settings), Number.isFinite(lost) ? Math.min(MOST_EXTRA_GAIN, Math.max(0, lost)) : 0);
      },
    };
  }

  measuredOf(settings: AudioSettings): Loudness | undefined {
    return this.#meters.get(keyOf(settings))?.measured(settings.loudness?.isGated === true);
  }

  /**
   * Ends the encoders.
   *
   * @param videoSeconds of the job's pictures
   */
  finish(videoSeconds: number): void {
    for (const { encoder, ends, settings } of this.#tracks.values()) {
      if (settings.isLengthOfVideo === true) encoder.fillTo(videoSeconds);
      encoder.finish();
      for (const end of ends) end();
    }
  }
}

/** Decibels; a limiter that takes away more is at its end. */
const MOST_EXTRA_GAIN = 6;

/** What is the same of sound that can share an encoder. */
function keyOf({ selector, codec, remix, loudness, isLengthOfVideo }: AudioSettings): string {
  return JSON.stringify([selector, codec, remix, loudness, isLengthOfVideo]);
}

/** The files beside an input that its sound comes from. */
export function externalFiles(ffmpeg: FFmpeg, port: AuxiliaryPort): ExternalFiles {
  const opened = new Map<string, { readonly media: MediaInput; close(): void }>();
  return {
    open(location) {
      const uri = uriOf(location);
      const known = opened.get(uri);
      if (known !== undefined) return known.media;
      const source = port.openAuxiliary(location, Number.MAX_SAFE_INTEGER);
      const media = MediaInput.open(ffmpeg, source, uri);
      const close = (): void => {
        media.close();
        source.close();
      };
      opened.set(uri, { media, close });
      return media;
    },
    close() {
      for (const file of opened.values()) file.close();
      opened.clear();
    },
  };
}

const DEFAULT: AudioSelector = { pick: { kind: 'default' } };

/** What an input gives to an output that names a selector. */
function selectorOf({ audioSelectors, fallbackAudio }: TranscodeInput, name: string): AudioSelector {
  return audioSelectors[name] ?? fallbackAudio ?? DEFAULT;
}

/**
 * Where an input's sound for a target comes from.
 *
 * @throws TranscodeError 1021 when a stream that is named expressly is missing
 */
export function routeOf(
  input: { readonly media: MediaInput; readonly description: TranscodeInput; readonly externals: ExternalFiles },
  settings: AudioSettings,
  target: SampleTarget,
): AudioRoute {
  const selector = selectorOf(input.description, settings.selector);
  const { external, pick, offsetSeconds } = selector;
  const media = external === undefined ? input.media : input.externals.open(external);
  const streams = media.findAudios(pick);
  if (streams === undefined || (streams.length === 0 && external !== undefined)) {
    const what = `No audio stream found for [selector-(${settings.selector})]`;
    throw new TranscodeError(ERROR_CODES.noAudio, unableToOpen(uriOf(external ?? input.description.source), what));
  }
  const remix = composed(selector.remix, settings.remix);
  return {
    target,
    ...(streams.length > 0 && { source: { media, streams } }),
    ...(offsetSeconds !== undefined && { offsetSeconds }),
    ...(remix !== undefined && { remix }),
  };
}

/**
 * The one stream of the first input that an output copies.
 *
 * @throws TranscodeError 1021 when there is none
 */
export function copiedStream(
  { media, description }: { readonly media: MediaInput; readonly description: TranscodeInput },
  settings: AudioSettings,
): Stream {
  const [stream] = media.findAudios(selectorOf(description, settings.selector).pick) ?? [];
  if (stream !== undefined) return stream;
  const what = `No audio stream found for [selector-(${settings.selector})]`;
  throw new TranscodeError(ERROR_CODES.noAudio, unableToOpen(uriOf(description.source), what));
}

/**
 * What the first input decides: the number of channels where they follow it, and the language that is to be followed.
 */
export function settledBy(
  input: { readonly media: MediaInput; readonly description: TranscodeInput; readonly externals: ExternalFiles },
  settings: AudioSettings,
): AudioSettings {
  const selector = selectorOf(input.description, settings.selector);
  const { external, pick } = selector;
  const isAsked =
    settings.codec.channels === 0 || settings.isLanguageFollowed === true || settings.isTypeFollowed === true;
  if (!isAsked) return settings;
  const media = external === undefined ? input.media : input.externals.open(external);
  const streams = media.findAudios(pick) ?? [];
  const language =
    settings.isLanguageFollowed === true ? languageTag(streams[0]?.metadata?.get('language')) : undefined;
  const type = settings.isTypeFollowed === true ? media.audioTypeOf(streams[0]) : undefined;
  const heard = streams.reduce((sum, { codecpar }) => sum + codecpar.channels, 0);
  const remix: Remix | undefined = composed(selector.remix, settings.remix);
  const { source } = input.description;
  const silent = external === undefined && 'milliseconds' in source ? source.channels : undefined;
  const channels = remix?.gains.length ?? silent ?? heard;
  return {
    ...settings,
    ...(language !== undefined && { language }),
    ...(type !== undefined && { audioType: type }),
    codec:
      settings.codec.channels === 0 ? { ...settings.codec, channels: taken(settings.codec, channels) } : settings.codec,
  };
}

/** As many channels as a codec takes of those that there are. */
function taken(codec: AudioCodecSettings, channels: number): number {
  if (channels < 1) return 2;
  switch (codec.kind) {
    case 'wav':
    case 'aiff':
      return Math.min(64, channels);
    case 'flac':
      return Math.min(8, channels);
    case 'aac':
    case 'ac3':
      return channels > 2 ? 6 : channels;
    case 'eac3':
      return channels > 2 ? (codec.hasNoLfe === true ? 5 : 6) : channels;
    default:
      return Math.min(2, channels);
  }
}
