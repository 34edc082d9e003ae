import type { CodecContext, Frame, Packet } from 'node-av/lib';
import type { AacSettings } from '../audio-codec-settings.ts';
import { gridFor } from '../parametric-stereo/stereo-grid.ts';
import { FRAME_SAMPLES } from '../sbr/band-signal.ts';
import { chooseBands } from '../sbr/choose-bands.ts';
import { withFillElement } from '../sbr/fill-element.ts';
import { heAacConfig } from '../sbr/he-aac-config.ts';
import { ERROR_CODES } from '../transcode-error.ts';
import { openAudioEncoder } from './audio-codec.ts';
import { check } from './check.ts';
import { CORE_FRAME, type CoreSource, floatSamples } from './core-source.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import { replaceData } from './packet-data.ts';
import { RateControl } from './rate-control.ts';
import { ResampledCore } from './resampled-core.ts';
import { StereoCore } from './stereo-core.ts';
import type { PacketReceiver } from './video-encoder.ts';

/** Bits a second that replication takes of each channel's, and parametric stereo of both. */
const EXTENSION_BITRATE = 2000;
/**
 * Samples by which a decoder's output is late: a frame of the core, whose samples count for two, and the filter banks of the
 * replication.
 */
const DECODER_DELAY: number = 2 * CORE_FRAME + 962;
const FAILED = 'The audio encoder failed';

/**
 * HE-AAC: FFmpeg's encoder of AAC LC at half the sample rate, for the lower half of the spectrum at most, and beside it
 * a description of the upper part that goes into each of its frames. In version 2 the core has one channel, and another
 * description makes two of it.
 */
export class HeAacEncoder {
  /** What muxers have to know of the stream; it encodes nothing. */
  readonly format: CodecContext;
  readonly #ffmpeg: FFmpeg;
  readonly #core: CodecContext;
  readonly #coreChannels: number;
  readonly #source: CoreSource;
  readonly #packet: Packet;
  readonly #rate: RateControl;
  readonly #delay: number;
  readonly #emitFrame = (frame: Frame): void => this.#encodeCore(frame);
  #emit: PacketReceiver = () => {};
  #wasSilent = false;
  #samples = 0;
  #packets = 0;

  /** @throws TranscodeError 1040 when the encoder does not take the settings */
  constructor(ffmpeg: FFmpeg, settings: AacSettings, target: number) {
    this.#ffmpeg = ffmpeg;
    const { sampleRate, bitrate } = settings;
    const isParametric = settings.isParametric === true;
    const channels = isParametric ? 1 : settings.channels;
    this.#coreChannels = channels;
    const bands = chooseBands(sampleRate, bitrate - (isParametric ? EXTENSION_BITRATE : 0), channels);
    const core = {
      ...settings,
      channels,
      isReplicated: false,
      // The long search is slower, further from its bitrate and no better; but of what is one channel by itself, it is nearer.
      isQuick: settings.channels === 2,
      sampleRate: sampleRate / 2,
      bitrate: bitrate - settings.channels * EXTENSION_BITRATE,
      cutoffHz: Math.round((bands.start * sampleRate) / 128),
    };
    this.#core = openAudioEncoder(ffmpeg, core, target);
    const what = `Error initializing encoder for audio target [${target}]`;
    this.#source = isParametric
      ? new StereoCore(ffmpeg, this.#core, bands, gridFor(bitrate))
      : new ResampledCore(ffmpeg, this.#core, settings, bands, what);
    this.#delay = DECODER_DELAY + this.#source.delay;
    this.#rate = new RateControl(bitrate, FRAME_SAMPLES / sampleRate, core.bitrate);
    this.format = formatOf(ffmpeg, settings, this.#core, this.#delay);
    this.#packet = new ffmpeg.Packet();
    this.#packet.alloc();
  }

  /** Takes 2048 samples, or less at the end. */
  encode(frame: Frame, emit: PacketReceiver): void {
    this.#emit = emit;
    this.#samples += frame.nbSamples;
    this.#source.encode(frame, this.#emitFrame);
  }

  /** Ends the stream, with as much silence behind it as brings all sound out of a decoder. */
  finish(emit: PacketReceiver): void {
    this.#emit = emit;
    this.#source.finish(FRAME_SAMPLES + this.#delay, this.#emitFrame);
    this.#send(null);
    this.#core.freeContext();
    this.format.freeContext();
    this.#packet.free();
  }

  #encodeCore(frame: Frame): void {
    const isSilent = isSilence(floatSamples(frame, this.#coreChannels));
    // A frame of the core overlaps the one before it; what it gives is that of the last call.
    const rate = isSilent && this.#wasSilent ? this.#rate.silentRate : this.#rate.rate;
    this.#core.bitRate = BigInt(Math.round(rate));
    this.#wasSilent = isSilent;
    this.#send(frame);
  }

  #send(frame: Frame | null): void {
    const ffmpeg = this.#ffmpeg;
    check(ffmpeg, this.#core.sendFrameSync(frame), ERROR_CODES.unknown, FAILED);
    for (;;) {
      const result = this.#core.receivePacketSync(this.#packet);
      if (result === ffmpeg.AVERROR_EAGAIN || result === ffmpeg.AVERROR_EOF) return;
      check(ffmpeg, result, ERROR_CODES.unknown, FAILED);
      this.#finishPacket();
      this.#packet.unref();
    }
  }

  #finishPacket(): void {
    const packet = this.#packet;
    const time = this.#packets * FRAME_SAMPLES - this.#delay;
    this.#packets += 1;
    const left = this.#samples - time;
    if (left <= 0) return;
    const extension = this.#source.nextExtension();
    const core = packet.size * 8;
    const data = withFillElement(packet.data ?? new Uint8Array(0), extension);
    replaceData(packet, data);
    this.#rate.add(core, data.length * 8);
    packet.pts = BigInt(time);
    packet.dts = BigInt(time);
    packet.duration = BigInt(Math.min(FRAME_SAMPLES, left));
    this.#emit(packet);
  }
}

/** Below what 16 bits tell. */
const SILENCE: number = 2 ** -16;

function isSilence(channels: readonly Float32Array[]): boolean {
  return channels.every((samples) => samples.every((sample) => Math.abs(sample) < SILENCE));
}

function formatOf(ffmpeg: FFmpeg, settings: AacSettings, core: CodecContext, delay: number): CodecContext {
  const { sampleRate, channels, bitrate, isParametric } = settings;
  const parameters = new ffmpeg.CodecParameters();
  parameters.alloc();
  parameters.fromContext(core);
  parameters.sampleRate = sampleRate;
  parameters.frameSize = FRAME_SAMPLES;
  parameters.initialPadding = delay;
  parameters.bitRate = BigInt(bitrate);
  parameters.profile = isParametric === true ? ffmpeg.AV_PROFILE_AAC_HE_V2 : ffmpeg.AV_PROFILE_AAC_HE;
  parameters.channelLayout = ffmpeg.avChannelLayoutDefault(channels);
  parameters.extradata = heAacConfig(sampleRate, isParametric === true ? 'parametric' : channels);
  const context = new ffmpeg.CodecContext();
  context.allocContext3(null);
  check(ffmpeg, context.parametersToContext(parameters), ERROR_CODES.unknown, 'HE-AAC cannot be described');
  context.timeBase = new ffmpeg.Rational(1, sampleRate);
  parameters.free();
  return context;
}
