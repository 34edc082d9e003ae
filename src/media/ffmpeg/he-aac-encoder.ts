import type { CodecContext, FilterContext, FilterGraph, Frame, Packet } from 'node-av/lib';
import type { AacSettings } from '../audio-codec-settings.ts';
import { FRAME_SAMPLES } from '../sbr/band-signal.ts';
import type { BitWriter } from '../sbr/bit-writer.ts';
import { chooseBands } from '../sbr/choose-bands.ts';
import { withFillElement } from '../sbr/fill-element.ts';
import { heAacConfig } from '../sbr/he-aac-config.ts';
import { SbrEncoder } from '../sbr/sbr-encoder.ts';
import { ERROR_CODES } from '../transcode-error.ts';
import { openAudioEncoder } from './audio-codec.ts';
import { layoutName } from './channel-mix.ts';
import { check, present } from './check.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import { replaceData } from './packet-data.ts';
import { RateControl } from './rate-control.ts';
import { sendSilence } from './sample-target.ts';
import type { PacketReceiver } from './video-encoder.ts';

const CORE_FRAME = 1024;
/** Bits a second that replication takes of each channel's. */
const REPLICATION_BITRATE = 2000;
/**
 * Samples by which a decoder's output is late: a frame of the core, whose samples count for two, and the filter banks of the
 * replication.
 */
const DELAY: number = 2 * CORE_FRAME + 962;
const FAILED = 'The audio encoder failed';

/**
 * HE-AAC: FFmpeg's encoder of AAC LC at half the sample rate, for the lower half of the spectrum at most, and beside it
 * a description of the upper part that goes into each of its frames.
 */
export class HeAacEncoder {
  /** What muxers have to know of the stream; it encodes nothing. */
  readonly format: CodecContext;
  readonly #ffmpeg: FFmpeg;
  readonly #core: CodecContext;
  readonly #replication: SbrEncoder;
  readonly #channels: number;
  readonly #graph: FilterGraph;
  readonly #source: FilterContext;
  readonly #sink: FilterContext;
  readonly #frame: Frame;
  readonly #packet: Packet;
  readonly #extensions: BitWriter[] = [];
  readonly #rate: RateControl;
  #wasSilent = false;
  #samples = 0;
  #packets = 0;

  /** @throws TranscodeError 1040 when the encoder does not take the settings */
  constructor(ffmpeg: FFmpeg, settings: AacSettings, target: number) {
    this.#ffmpeg = ffmpeg;
    const { sampleRate, channels, bitrate } = settings;
    this.#channels = channels;
    const bands = chooseBands(sampleRate, bitrate, channels);
    const core = {
      ...settings,
      isReplicated: false,
      // Of two channels, the long search is slower, further from its bitrate and no better; of one, it is nearer.
      isQuick: channels === 2,
      sampleRate: sampleRate / 2,
      bitrate: bitrate - channels * REPLICATION_BITRATE,
      cutoffHz: Math.round((bands.start * sampleRate) / 128),
    };
    this.#core = openAudioEncoder(ffmpeg, core, target);
    this.#replication = new SbrEncoder(bands, channels);
    this.#rate = new RateControl(bitrate, FRAME_SAMPLES / sampleRate, core.bitrate);
    this.format = formatOf(ffmpeg, settings, this.#core);
    this.#graph = new ffmpeg.FilterGraph();
    this.#graph.alloc();
    const sample = ffmpeg.avGetSampleFmtName(this.#core.sampleFormat) ?? 'fltp';
    const layout = layoutName(channels);
    const chain = [
      `abuffer@in=time_base=1/${sampleRate}:sample_rate=${sampleRate}:sample_fmt=${sample}:channel_layout=${layout}`,
      `aresample=${core.sampleRate}`,
      `aformat=sample_fmts=${sample}:sample_rates=${core.sampleRate}:channel_layouts=${layout}`,
      `asetnsamples=n=${CORE_FRAME}:p=0`,
      'abuffersink@out',
    ];
    const what = `Error initializing encoder for audio target [${target}]`;
    check(ffmpeg, this.#graph.parsePtr(chain.join(',')), ERROR_CODES.settingsDoNotFit, what);
    check(ffmpeg, this.#graph.configSync(), ERROR_CODES.settingsDoNotFit, what);
    this.#source = present(this.#graph.getFilter('abuffer@in'), what);
    this.#sink = present(this.#graph.getFilter('abuffersink@out'), what);
    this.#frame = new ffmpeg.Frame();
    this.#frame.alloc();
    this.#packet = new ffmpeg.Packet();
    this.#packet.alloc();
    // The core's first frame is what comes before all sound.
    this.#extensions.push(this.#replication.encode([]));
  }

  /** Takes 2048 samples, or less at the end. */
  encode(frame: Frame, emit: PacketReceiver): void {
    const planes = frame.extendedData ?? frame.data ?? [];
    const channels = planes.slice(0, this.#channels).map((plane) => samplesOf(plane, frame.nbSamples));
    this.#extensions.push(this.#replication.encode(channels));
    this.#samples += frame.nbSamples;
    check(this.#ffmpeg, this.#source.buffersrcAddFrameSync(frame), ERROR_CODES.unknown, FAILED);
    this.#drain(emit);
  }

  /** Ends the stream, with as much silence behind it as brings all sound out of a decoder. */
  finish(emit: PacketReceiver): void {
    const { sampleFormat, channelLayout, sampleRate } = this.format;
    const form = { format: sampleFormat, layout: channelLayout, sampleRate };
    const span = { from: this.#samples, to: this.#samples + FRAME_SAMPLES + DELAY };
    sendSilence(this.#ffmpeg, form, span, (frame) => {
      check(this.#ffmpeg, this.#source.buffersrcAddFrameSync(frame), ERROR_CODES.unknown, FAILED);
    });
    this.#source.buffersrcAddFrameSync(null);
    this.#drain(emit);
    this.#send(null, emit);
    this.#graph.free();
    this.#core.freeContext();
    this.format.freeContext();
    this.#frame.free();
    this.#packet.free();
  }

  #drain(emit: PacketReceiver): void {
    while (this.#sink.buffersinkGetFrameSync(this.#frame) >= 0) {
      const isSilent = isSilence(this.#frame);
      // A frame of the core overlaps the one before it; what it gives is that of the last call.
      const rate = isSilent && this.#wasSilent ? this.#rate.silentRate : this.#rate.rate;
      this.#core.bitRate = BigInt(Math.round(rate));
      this.#wasSilent = isSilent;
      this.#send(this.#frame, emit);
      this.#frame.unref();
    }
  }

  #send(frame: Frame | null, emit: PacketReceiver): void {
    const ffmpeg = this.#ffmpeg;
    check(ffmpeg, this.#core.sendFrameSync(frame), ERROR_CODES.unknown, FAILED);
    for (;;) {
      const result = this.#core.receivePacketSync(this.#packet);
      if (result === ffmpeg.AVERROR_EAGAIN || result === ffmpeg.AVERROR_EOF) return;
      check(ffmpeg, result, ERROR_CODES.unknown, FAILED);
      this.#finishPacket(emit);
      this.#packet.unref();
    }
  }

  #finishPacket(emit: PacketReceiver): void {
    const packet = this.#packet;
    const time = this.#packets * FRAME_SAMPLES - DELAY;
    this.#packets += 1;
    const left = this.#samples - time;
    if (left <= 0) return;
    const extension = this.#extensions.shift() ?? this.#replication.encode([]);
    const core = packet.size * 8;
    const data = withFillElement(packet.data ?? new Uint8Array(0), extension);
    replaceData(packet, data);
    this.#rate.add(core, data.length * 8);
    packet.pts = BigInt(time);
    packet.dts = BigInt(time);
    packet.duration = BigInt(Math.min(FRAME_SAMPLES, left));
    emit(packet);
  }
}

/** Below what 16 bits tell. */
const SILENCE: number = 2 ** -16;

function isSilence(frame: Frame): boolean {
  const planes = frame.extendedData ?? frame.data ?? [];
  return planes.every((plane) => samplesOf(plane, frame.nbSamples).every((sample) => Math.abs(sample) < SILENCE));
}

/** A plane's samples, which stay FFmpeg's. */
function samplesOf(plane: Buffer, count: number): Float32Array {
  if (plane.byteOffset % 4 === 0) return new Float32Array(plane.buffer, plane.byteOffset, count);
  return new Float32Array(Uint8Array.from(plane.subarray(0, count * 4)).buffer);
}

function formatOf(ffmpeg: FFmpeg, { sampleRate, channels, bitrate }: AacSettings, core: CodecContext): CodecContext {
  const parameters = new ffmpeg.CodecParameters();
  parameters.alloc();
  parameters.fromContext(core);
  parameters.sampleRate = sampleRate;
  parameters.frameSize = FRAME_SAMPLES;
  parameters.initialPadding = DELAY;
  parameters.bitRate = BigInt(bitrate);
  parameters.profile = ffmpeg.AV_PROFILE_AAC_HE;
  parameters.extradata = heAacConfig(sampleRate, channels);
  const context = new ffmpeg.CodecContext();
  context.allocContext3(null);
  check(ffmpeg, context.parametersToContext(parameters), ERROR_CODES.unknown, 'HE-AAC cannot be described');
  context.timeBase = new ffmpeg.Rational(1, sampleRate);
  parameters.free();
  return context;
}
