import type { CodecContext, FilterContext, FilterGraph, Frame } from 'node-av/lib';
import type { SampledSettings } from '../audio-codec-settings.ts';
import type { BitWriter } from '../sbr/bit-writer.ts';
import type { FrequencyBands } from '../sbr/frequency-bands.ts';
import { SbrEncoder } from '../sbr/sbr-encoder.ts';
import { ERROR_CODES } from '../transcode-error.ts';
import { layoutName } from './channel-mix.ts';
import { check, present } from './check.ts';
import { CORE_FRAME, type CoreSource, floatSamples } from './core-source.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import { sendSilence } from './sample-target.ts';

const FAILED = 'The audio encoder failed';

/** Of HE-AAC: the core has all channels, and FFmpeg's resampler gives it half the rate. */
export class ResampledCore implements CoreSource {
  readonly delay = 0;
  readonly #ffmpeg: FFmpeg;
  readonly #core: CodecContext;
  readonly #settings: SampledSettings;
  readonly #replication: SbrEncoder;
  readonly #extensions: BitWriter[] = [];
  readonly #graph: FilterGraph;
  readonly #source: FilterContext;
  readonly #sink: FilterContext;
  readonly #frame: Frame;

  /**
   * @param settings of the output
   * @param what begins the message of the error
   * @throws TranscodeError 1040 when there is no such resampler
   */
  constructor(ffmpeg: FFmpeg, core: CodecContext, settings: SampledSettings, bands: FrequencyBands, what: string) {
    this.#ffmpeg = ffmpeg;
    this.#core = core;
    this.#settings = settings;
    const { sampleRate, channels } = settings;
    this.#replication = new SbrEncoder(bands, channels);
    this.#graph = new ffmpeg.FilterGraph();
    this.#graph.alloc();
    const sample = ffmpeg.avGetSampleFmtName(core.sampleFormat) ?? 'fltp';
    const layout = layoutName(channels);
    const chain = [
      `abuffer@in=time_base=1/${sampleRate}:sample_rate=${sampleRate}:sample_fmt=${sample}:channel_layout=${layout}`,
      `aresample=${core.sampleRate}`,
      `aformat=sample_fmts=${sample}:sample_rates=${core.sampleRate}:channel_layouts=${layout}`,
      `asetnsamples=n=${CORE_FRAME}:p=0`,
      'abuffersink@out',
    ];
    check(ffmpeg, this.#graph.parsePtr(chain.join(',')), ERROR_CODES.settingsDoNotFit, what);
    check(ffmpeg, this.#graph.configSync(), ERROR_CODES.settingsDoNotFit, what);
    this.#source = present(this.#graph.getFilter('abuffer@in'), what);
    this.#sink = present(this.#graph.getFilter('abuffersink@out'), what);
    this.#frame = new ffmpeg.Frame();
    this.#frame.alloc();
    // The core's first frame is what comes before all sound.
    this.#extensions.push(this.#replication.encode([]));
  }

  encode(frame: Frame, emit: (frame: Frame) => void): void {
    this.#extensions.push(this.#replication.encode(floatSamples(frame, this.#settings.channels)));
    check(this.#ffmpeg, this.#source.buffersrcAddFrameSync(frame), ERROR_CODES.unknown, FAILED);
    this.#drain(emit);
  }

  finish(silence: number, emit: (frame: Frame) => void): void {
    const { sampleFormat: format, channelLayout: layout } = this.#core;
    const form = { format, layout, sampleRate: this.#settings.sampleRate };
    sendSilence(this.#ffmpeg, form, { from: 0, to: silence }, (frame) => {
      check(this.#ffmpeg, this.#source.buffersrcAddFrameSync(frame), ERROR_CODES.unknown, FAILED);
    });
    this.#source.buffersrcAddFrameSync(null);
    this.#drain(emit);
    this.#graph.free();
    this.#frame.free();
  }

  nextExtension(): BitWriter {
    return this.#extensions.shift() ?? this.#replication.encode([]);
  }

  #drain(emit: (frame: Frame) => void): void {
    while (this.#sink.buffersinkGetFrameSync(this.#frame) >= 0) {
      emit(this.#frame);
      this.#frame.unref();
    }
  }
}
