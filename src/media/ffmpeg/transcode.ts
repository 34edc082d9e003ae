import type { PartSink } from '../packaging/object-writer.ts';
import type { AudioSettings } from '../audio-settings.ts';
import type { CaptionOutput } from '../caption-settings.ts';
import type { FragmentedGroup, HlsGroup, OutputGroup } from '../output-group.ts';
import type { TranscodeJob } from '../transcode-job.ts';
import type { MediaInfo, TranscodeResult } from '../transcode-report.ts';
import type { VideoSettings } from '../video-settings.ts';
import { ERROR_CODES, TranscodeError } from '../transcode-error.ts';
import { AudioTracks, copiedStream, routeOf, settledBy } from './audio-tracks.ts';
import { captionedVideo, openCaptionOutput } from './captioned-outputs.ts';
import { CaptionTracks } from './caption-tracks.ts';
import { type ClipWindow, clipWindows, WHOLE } from './clip-windows.ts';
import { InputRun } from './input-run.ts';
import { writeLoudnessLogs } from './loudness-log.ts';
import {
  finishGroup,
  type OpenedOutput,
  type RunningGroup,
  runningGroup,
  writeRunningManifests,
} from './finish-group.ts';
import { deinterlacedRate } from './deinterlace.ts';
import { inputTimes, laterTimecode } from './film-times.ts';
import { encoderColor } from './color.ts';
import { hdrOfInput } from './hdr-metadata.ts';
import { inputPictures } from './input-pictures.ts';
import { openFragmentedOutput } from './fragmented-outputs.ts';
import { lookAtFilms, needsFirstPass, secondPass } from './first-pass.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import { framerateOf, MediaInput } from './media-input.ts';
import type { Output, OutputAudio, OutputTracks } from './outputs.ts';
import { openFileOutput } from './file-outputs.ts';
import { isAnnexB } from './movie-outputs.ts';
import { openSmoothOutput } from './smooth-outputs.ts';
import { openHlsOutput } from './hls-outputs.ts';
import { ImageStore } from './image-store.ts';
import { OpenInput } from './open-input.ts';
import { startOfOutputsMs, timecodesOfOutputs } from './output-timecodes.ts';
import { JobProgress, partLengths } from './job-progress.ts';
import { withLadders } from './job-ladders.ts';
import { ThumbnailEncoder } from './thumbnail-encoder.ts';
import { imageBase, thumbnailSettings } from './trick-play-images.ts';
import { segmentLengths } from './segment-lengths.ts';
import { timedTagsOf } from './timed-tags-of.ts';
import { VideoLengthGate } from './video-length-gate.ts';
import type { SampleTarget } from './sample-target.ts';
import { outputPicture } from './picture-size.ts';
import type { FirstPass } from './rate-guide.ts';
import type { VideoTrack } from './track-format.ts';
import type { TranscodePorts } from './transcode-ports.ts';
import { copiedVideo } from './copied-video.ts';
import { PassthroughAudio, type PassthroughTrack } from './passthrough-track.ts';
import { type PacketReceiver, VideoEncoder } from './video-encoder.ts';

interface Captioned {
  readonly captions?: readonly CaptionOutput[];
}

/**
 * Runs a job from front to back in this thread, which it blocks: every input is decoded once, and each frame goes
 * through one filter graph to all renditions.
 *
 * @throws TranscodeError when the job cannot be done
 */
export function transcode(ffmpeg: FFmpeg, job: TranscodeJob, ports: TranscodePorts): TranscodeResult {
  return new Transcode(ffmpeg, job, ports).run();
}

class Transcode {
  readonly #ffmpeg: FFmpeg;
  #job: TranscodeJob;
  readonly #ports: TranscodePorts;
  readonly #videos: { readonly encoder: VideoEncoder; readonly end: () => void }[] = [];
  readonly #audios: AudioTracks;
  readonly #copies: { readonly track: PassthroughTrack; readonly end: () => void }[] = [];
  readonly #images: ImageStore;
  readonly #captions: CaptionTracks;
  /** Of the pictures that are encoded twice. */
  readonly #firstPasses = new Map<VideoSettings, FirstPass>();
  #seconds = 0;
  #framesDecoded = 0;
  readonly #progress: JobProgress;
  /** The part of the first input with which the outputs begin. */
  #firstWindow: ClipWindow = WHOLE;

  constructor(ffmpeg: FFmpeg, job: TranscodeJob, ports: TranscodePorts) {
    this.#ffmpeg = ffmpeg;
    this.#job = job;
    this.#ports = ports;
    this.#images = new ImageStore(ffmpeg, ports);
    this.#captions = new CaptionTracks(ffmpeg, job, ports);
    this.#audios = new AudioTracks(ffmpeg);
    this.#progress = new JobProgress((event) => ports.report(event));
  }

  run(): TranscodeResult {
    const { inputs } = this.#job;
    this.#ports.report({ kind: 'phase', phase: 'PROBING' });
    let first: OpenInput | undefined;
    const infos: MediaInfo[] = [];
    const windows: (readonly ClipWindow[])[] = [];
    inputs.forEach(({ clips }, index) => {
      if (index === 1) first = first?.close();
      const input = this.#open(index);
      infos.push(input.media.info);
      windows.push(clipWindows(clips, input.media));
      this.#ports.report({ kind: 'input', index, info: input.media.info });
      if (index === 0) first = input;
      else input.close();
    });
    first ??= this.#open(0);
    this.#firstWindow = windows[0]?.[0] ?? WHOLE;
    this.#job = withLadders(this.#ffmpeg, this.#job, first.media);
    this.#ports.report({ kind: 'phase', phase: 'TRANSCODING' });
    this.#progress.begin(partLengths(infos, windows), this.#job);
    first = this.#measureLoudness(first, windows);
    first = this.#measurePictures(first, windows);
    const groups = this.#job.groups.map((group, index) => this.#openGroup(group, index, first));
    this.#transcodeAll(first, infos, windows);
    for (const { encoder, end } of this.#videos) {
      encoder.finish();
      end();
    }
    for (const { track, end } of this.#copies) {
      track.finish();
      end();
    }
    this.#audios.finish(this.#videoSeconds);
    for (const group of groups) {
      const sink = this.#ports.sinkFor(group.index);
      writeLoudnessLogs(group, sink, this.#job.startedAt, (audio) => this.#audios.measuredOf(audio));
    }
    return { groups: groups.map((group) => finishGroup(group, this.#ports.sinkFor(group.index), this.#job.startedAt)) };
  }

  /**
   * Listens to all inputs before anything is encoded, where loudness is to be known: one gain for the whole needs the
   * whole. Returns the first input, which is opened anew for it.
   */
  #measureLoudness(first: OpenInput, windows: readonly (readonly ClipWindow[])[]): OpenInput {
    const audios = this.#job.groups
      .flatMap((group) => group.outputs.flatMap((output) => [...output.audios]))
      .filter(({ loudness }) => loudness !== undefined)
      .map((audio) => settledBy(first, audio));
    if (audios.length === 0) return first;
    const meters = new Map(audios.map((settings) => [this.#audios.meterFor(settings), settings]));
    first.close();
    this.#passOver(windows, [], meters);
    this.#progress.endPass();
    const limited = [...meters.values()].flatMap((settings) => {
      const found = this.#audios.limitedMeterFor(settings);
      return found === undefined ? [] : [{ ...found, settings }];
    });
    if (limited.length > 0) {
      this.#passOver(windows, [], new Map(limited.map(({ meter, settings }) => [meter, settings])));
      for (const { settle } of limited) settle();
    }
    return this.#open(0);
  }

  /** Encodes pictures to see what they take, where that has to be known before. */
  #measurePictures(first: OpenInput, windows: readonly (readonly ClipWindow[])[]): OpenInput {
    const videos = this.#job.groups.flatMap((group) =>
      group.outputs.flatMap(({ video }) => (needsFirstPass(video) ? [video] : [])),
    );
    if (videos.length === 0) return first;
    let input = first;
    const passes = lookAtFilms(videos, (looks) => {
      const encoders = looks.map((look) =>
        this.#openVideo(look.settings, [], input.media, undefined, false, ({ size }) => look.take(size * 8)),
      );
      input.close();
      this.#passOver(windows, encoders, new Map());
      for (const encoder of encoders) encoder.finish();
      input = this.#open(0);
      return encoders.map(({ framerate }) => framerate);
    });
    for (const [video, pass] of passes) this.#firstPasses.set(video, pass);
    this.#progress.endPass();
    return input;
  }

  /** Lets encoders see and meters hear all of the inputs before anything is written. */
  #passOver(
    windows: readonly (readonly ClipWindow[])[],
    encoders: readonly VideoEncoder[],
    meters: ReadonlyMap<SampleTarget, AudioSettings>,
  ): void {
    const count = windows.reduce((sum, parts) => sum + parts.length, 0);
    let base = 0;
    let part = 0;
    this.#job.inputs.forEach((description, index) => {
      for (const window of windows[index] ?? [WHOLE]) {
        const input = this.#open(index);
        part += 1;
        const begin = base;
        const run = new InputRun(this.#ffmpeg, input.media, {
          videoEncoders: encoders,
          audioRoutes: [...meters].map(([meter, settings]) => routeOf(input, settings, meter)),
          baseSeconds: base,
          isJoined: part < count,
          window,
          pictures: {
            ...inputPictures(this.#ffmpeg, input.media, description),
            images: this.#images,
            luts: this.#job.luts,
            skippedSeconds: window.from,
            outputTimecode: () => '00:00:00:00',
          },
          onFrame: (seconds, isVideo) => {
            this.#ports.onFrame(this.#framesDecoded);
            if (isVideo || encoders.length === 0) this.#progress.tell(begin + seconds, this.#framesDecoded);
          },
        });
        base = run.run();
        input.close();
      }
    });
  }

  #open(index: number): OpenInput {
    const input = this.#job.inputs[index];
    if (input === undefined) throw new RangeError(`There is no input ${index}.`);
    return new OpenInput(this.#ffmpeg, this.#ports, index, input, this.#isVideoWanted);
  }

  get #hasPicture(): boolean {
    return this.#videos.length > 0 || this.#copies.some(({ track }) => track.isVideo);
  }

  /** Of the pictures so far. */
  get #videoSeconds(): number {
    const copies = this.#copies.filter(({ track }) => track.isVideo).map(({ track }) => track.seconds);
    return Math.max(0, ...this.#videos.map(({ encoder }) => encoder.seconds), ...copies);
  }

  get #isVideoWanted(): boolean {
    return this.#job.groups.some((group) => group.outputs.some((output) => output.video !== undefined));
  }

  #transcodeAll(first: OpenInput, infos: readonly MediaInfo[], windows: readonly (readonly ClipWindow[])[]): void {
    const lengths = partLengths(infos, windows);
    let base = 0;
    let done = 0;
    let part = 0;
    const outputTimecode = timecodesOfOutputs(this.#job, first.media, windows[0]?.[0] ?? WHOLE);
    this.#job.inputs.forEach((description, index) => {
      for (const [place, window] of (windows[index] ?? [WHOLE]).entries()) {
        const input = index === 0 && place === 0 ? first : this.#open(index);
        part += 1;
        const before = done;
        const nought = -inputTimes(input.media, description.firstTimecode).secondsOf('00:00:00:00');
        this.#captions.beginPart(index, window, base, nought);
        const run = new InputRun(this.#ffmpeg, input.media, {
          videoEncoders: this.#videos.map(({ encoder }) => encoder),
          audioRoutes: this.#audios.all.map(({ settings, encoder }) => routeOf(input, settings, encoder)),
          copies: this.#copies.map(({ track }) => track),
          baseSeconds: base,
          isJoined: part < lengths.length,
          window,
          pictures: {
            ...inputPictures(this.#ffmpeg, input.media, description),
            images: this.#images,
            luts: this.#job.luts,
            skippedSeconds: window.from,
            outputTimecode,
          },
          onPicture: this.#captions.takePicture,
          onWarning: (code, message) => this.#ports.report({ kind: 'warning', code, message }),
          onFrame: (seconds, isVideo) => {
            const isCounted = isVideo || !this.#hasPicture;
            if (isCounted) this.#framesDecoded += 1;
            this.#ports.onFrame(this.#framesDecoded);
            if (isCounted) this.#progress.tell(before + seconds, this.#framesDecoded);
          },
        });
        base = run.run();
        this.#captions.endPart(base);
        input.close();
        done += lengths[part - 1] ?? 0;
      }
    });
    this.#seconds = base;
    this.#captions.finish(base);
  }

  #openGroup(group: OutputGroup, index: number, first: OpenInput | undefined): RunningGroup {
    if (first === undefined) throw new RangeError('A job has at least one input.');
    const sink = this.#ports.sinkFor(index);
    const { startedAt } = this.#job;
    if (group.kind === 'file') {
      const text = this.#openText(group, sink, () => opened, 0);
      const opened: OpenedOutput[] = group.outputs.map((output, place) =>
        this.#openOutput(
          output,
          first,
          undefined,
          !isAnnexB(output.container),
          (tracks) => text(place) ?? openFileOutput(this.#ffmpeg, group, output, tracks, sink, startedAt),
        ),
      );
      return runningGroup(group, index, opened);
    }
    const { segmentSeconds, fragmentSeconds } = segmentLengths(group, first.media);
    const tags = timedTagsOf(this.#job, first.media, this.#firstWindow);
    const startMs = (): number => startOfOutputsMs(this.#job, first.media, this.#firstWindow);
    if (group.kind === 'smooth') {
      const opened = group.outputs.map((output) =>
        this.#openOutput(output, first, segmentSeconds, true, (tracks) =>
          openSmoothOutput(this.#ffmpeg, group, output, tracks, sink, { startedAt, fragmentSeconds: segmentSeconds }),
        ),
      );
      return runningGroup(group, index, opened);
    }
    if (group.kind !== 'hls') {
      const text = this.#openText(group, sink, () => opened, segmentSeconds);
      const opened: OpenedOutput[] = group.outputs.map((output, place) =>
        this.#openOutput(
          output,
          first,
          segmentSeconds,
          true,
          (tracks) =>
            text(place) ??
            openFragmentedOutput(this.#ffmpeg, group, output, tracks, sink, {
              startedAt,
              segmentSeconds,
              fragmentSeconds,
              id: String(place + 1),
              tags,
            }),
        ),
      );
      const images = this.#openImages(group, first.media, segmentSeconds, sink);
      return runningGroup(group, index, opened, images);
    }
    const dates = group.programDateTime && { ...group.programDateTime, startMs: startMs() };
    const text = this.#openText(group, sink, () => opened, segmentSeconds);
    const opened: OpenedOutput[] = group.outputs.map((output, place) =>
      this.#openOutput(
        output,
        first,
        segmentSeconds,
        false,
        (tracks) =>
          text(place) ??
          openHlsOutput(this.#ffmpeg, group, output, tracks, sink, {
            startedAt,
            segmentSeconds,
            now: () => this.#ports.now(),
            onManifest: () => writeRunningManifests(runningGroup(group, index, opened), sink, startedAt),
            tags,
            startMs,
            ...(dates !== undefined && { dates }),
          }),
      ),
    );
    const images = this.#openImages(group, first.media, segmentSeconds, sink);
    return runningGroup(group, index, opened, images);
  }

  /** What makes the images of trick play. */
  #openImages(
    group: HlsGroup | FragmentedGroup,
    first: MediaInput,
    segmentSeconds: number,
    sink: PartSink,
  ): ThumbnailEncoder[] {
    const video = group.outputs.find((output) => output.video !== undefined)?.video;
    const source = first.findVideo();
    if (video === undefined || source === undefined) return [];
    return (group.trickPlayImages ?? []).flatMap((images) => {
      const settings = thumbnailSettings(images, video, video.framerate ?? framerateOf(source), segmentSeconds);
      const base = imageBase(group, images, this.#job.startedAt);
      const facts = { sink, base, columns: images.columns, rows: images.rows };
      const encoder = this.#openVideo(settings, [], first, undefined, false, () => undefined, facts);
      this.#videos.push({ encoder, end: () => undefined });
      return encoder instanceof ThumbnailEncoder ? [encoder] : [];
    });
  }

  /** Opens the outputs of a group that are captions alone, by their places. */
  #openText(
    group: OutputGroup,
    sink: PartSink,
    opened: () => readonly OpenedOutput[],
    segmentSeconds: number,
  ): (place: number) => Output | undefined {
    const facts = {
      sink,
      startedAt: this.#job.startedAt,
      segmentSeconds,
      tracks: this.#captions,
      now: () => this.#ports.now(),
      seconds: () => this.#seconds,
      outputs: () => opened().map(({ output }) => output),
    };
    return (place) => openCaptionOutput(group, place, facts);
  }

  #openOutput(
    settings: Captioned & { readonly video?: VideoSettings; readonly audios: readonly AudioSettings[] },
    first: OpenInput,
    forcedKeySeconds: number | undefined,
    hasGlobalHeader: boolean,
    open: (tracks: OutputTracks) => Output,
  ): OpenedOutput {
    const audios = settings.audios.map((audio) => {
      const settings = settledBy(first, audio);
      if (audio.codec.kind !== 'passthrough') return { settings, shared: this.#audios.open(settings) };
      const { media } = first;
      return { settings, copy: new PassthroughAudio(this.#ffmpeg, copiedStream(first, audio), media.startSeconds) };
    });
    const outputAudios: OutputAudio[] = audios.map(({ settings: { codec, ...named }, shared, copy }) => {
      const encoder = shared?.encoder ?? copy;
      if (encoder === undefined) throw new RangeError('Sound is encoded or copied.');
      return { settings: { ...named, codec: copy?.settings ?? codec }, encoder };
    });
    let output: Output | undefined;
    const receive: PacketReceiver = (packet) => output?.write(0, packet);
    const end = (): void => output?.endTrack(0);
    let video: VideoTrack | undefined;
    if (settings.video?.codec.kind === 'passthrough') {
      const track = copiedVideo(this.#ffmpeg, settings.video, first.media, !hasGlobalHeader, receive);
      this.#copies.push({ track, end });
      video = track;
    } else if (settings.video !== undefined) {
      const { video: wanted, captions = [] } = settings;
      const encoder = this.#openVideo(wanted, captions, first.media, forcedKeySeconds, hasGlobalHeader, receive);
      this.#videos.push({ encoder, end });
      video = encoder;
    }
    const tracks = { ...(video !== undefined && { video }), audios: outputAudios };
    const opened = open(tracks);
    output = opened;
    audios.forEach(({ shared, copy }, index) => {
      const track = index + (video === undefined ? 0 : 1);
      const write: PacketReceiver = (packet) => opened.write(track, packet);
      if (copy !== undefined) {
        copy.addReceiver(write);
        this.#copies.push({ track: copy, end: () => opened.endTrack(track) });
      }
      if (shared === undefined) return;
      const gate =
        shared.settings.isLengthOfVideo === true
          ? new VideoLengthGate(shared.encoder.context.timeBase, () => this.#videoSeconds, write)
          : undefined;
      shared.encoder.addReceiver(gate === undefined ? write : (packet) => gate.push(packet));
      shared.ends.push(() => {
        gate?.end();
        opened.endTrack(track);
      });
    });
    return { output: opened, tracks };
  }

  #openVideo(
    settings: VideoSettings,
    captions: readonly CaptionOutput[],
    first: MediaInput,
    forcedKeySeconds: number | undefined,
    hasGlobalHeader: boolean,
    receive: PacketReceiver,
    images?: ConstructorParameters<typeof ThumbnailEncoder>[2],
  ): VideoEncoder {
    const source = first.findVideo();
    if (source === undefined) throw new TranscodeError(ERROR_CODES.noVideo, 'The input has no video stream.');
    const { picture: shown, settings: input } = inputPictures(this.#ffmpeg, first, this.#job.inputs[0]);
    const picture = outputPicture(settings, shown);
    const framerate = settings.framerate ?? deinterlacedRate(framerateOf(source), settings.deinterlace);
    const pass = this.#firstPasses.get(settings);
    const second = pass !== undefined && needsFirstPass(settings) && secondPass(settings, pass, framerate);
    const facts = {
      settings,
      ...second,
      picture,
      framerate,
      ...captionedVideo(this.#ffmpeg, this.#captions, captions, framerate),
      hasGlobalHeader,
      source,
      ...encoderColor(source, input, settings, () => hdrOfInput(this.#ffmpeg, first)),
      timecode: laterTimecode(
        timecodesOfOutputs(this.#job, first, this.#firstWindow)(framerate),
        0,
        framerate,
        settings.picture?.isTimecodeDropped === true,
      ),
      target: this.#videos.length + 1,
      mayUseHardware: this.#job.mayUseHardware === true,
      ...(forcedKeySeconds !== undefined && { forcedKeySeconds }),
    };
    return images === undefined
      ? new VideoEncoder(this.#ffmpeg, facts, receive)
      : new ThumbnailEncoder(this.#ffmpeg, facts, images);
  }
}
