import type { CaptionOutput, SidecarDestination } from '../caption-settings.ts';
import { type Cue, inOrder } from '../captions/cue.ts';
import type { CaptionTrack } from '../captions/caption-track.ts';
import { CAPTION_TYPES, cuesFor, writeCaptions } from '../captions/write-captions.ts';
import { writeWebVtt } from '../captions/webvtt-writer.ts';
import type { FileGroup, FragmentedGroup, FragmentedOutput, HlsGroup, HlsOutput } from '../output-group.ts';
import type { DashText } from '../packaging/dash-captions.ts';
import type { FragmentedSegment } from '../packaging/fragmented-segmenter.ts';
import type { SubtitleRendition } from '../packaging/hls-captions.ts';
import { childManifest, type Segment } from '../packaging/hls-manifest.ts';
import { putHlsManifest } from '../packaging/manifest-store.ts';
import { box, text, u32 } from '../packaging/mp4/box.ts';
import { TEXT_CODECS, TEXT_TIMESCALE, textFragment, textIndex, textInit } from '../packaging/mp4/text-track.ts';
import { ObjectWriter, type PartSink } from '../packaging/object-writer.ts';
import { expandIdentifiers } from '../packaging/output-name.ts';
import { segmentNames } from '../packaging/segment-template.ts';
import type { OutputResult } from '../transcode-report.ts';
import type { FragmentedOutputHandle } from './fragmented-outputs.ts';
import type { SegmentedOutput } from './hls-outputs.ts';
import type { Output } from './outputs.ts';

/** Seconds of a segment of text that is not as long as the pictures'. */
const LARGE_SEGMENT = 300;
const SEGMENT_TYPE = box('styp', text('msdh'), u32(0), text('msdhmsixcmfc'));

/** What an output of text is made of, once all else is finished. */
export interface CaptionOutputFacts {
  readonly sink: PartSink;
  readonly track: CaptionTrack;
  readonly startedAt: number;
  now(): number;
  /** Of the job's time line. */
  seconds(): number;
  /** The segments of the group's first picture, which are finished by then. */
  leadingSegments(): readonly Segment[] | undefined;
}

interface NamedOutput {
  readonly nameModifier: string;
  readonly extension: string;
  readonly captions?: readonly CaptionOutput[];
}

/** The captions of an output that has nothing else. */
export function sidecarOf(
  output: Pick<NamedOutput, 'captions'>,
): (CaptionOutput & { readonly destination: SidecarDestination }) | undefined {
  const caption = output.captions?.[0];
  return caption?.destination.kind === 'sidecar' ? { ...caption, destination: caption.destination } : undefined;
}

function required(output: Pick<NamedOutput, 'captions'>) {
  const caption = sidecarOf(output);
  if (caption === undefined) throw new RangeError('The output has no captions.');
  return caption;
}

const IDLE = { write: () => undefined, endTrack: () => undefined, isLast: true } as const;

/** A file of captions. */
export function openCaptionFile(group: FileGroup, output: NamedOutput, facts: CaptionOutputFacts): Output {
  const { destination, language } = required(output);
  return {
    ...IDLE,
    finish(): OutputResult {
      const names = { time: facts.startedAt, inputName: group.inputName, extension: output.extension };
      const key = expandIdentifiers(`${group.keyBase}${output.nameModifier}.${output.extension}`, names);
      const written = writeCaptions(cuesOf(facts, destination), destination, language);
      put(facts.sink, key, CAPTION_TYPES[destination.format], Buffer.from(written));
      return { paths: [`s3://${group.bucket}/${key}`], durationMs: Math.round(facts.seconds() * 1000) };
    },
  };
}

function cuesOf(facts: CaptionOutputFacts, destination: SidecarDestination): Cue[] {
  return inOrder(cuesFor(facts.track.cues, destination));
}

function put(sink: PartSink, key: string, contentType: string, bytes: Uint8Array): void {
  const writer = new ObjectWriter(sink, { key, contentType });
  writer.write(bytes);
  writer.end();
}

/** Segments of WebVTT with their child manifest. */
export function openHlsCaptions(
  group: HlsGroup,
  output: HlsOutput,
  facts: CaptionOutputFacts & { readonly isDefault: boolean; readonly clockOffsetSeconds: number },
): SegmentedOutput {
  const caption = required(output);
  const names = { time: facts.startedAt, inputName: group.inputName, extension: 'm3u8' };
  const base = expandIdentifiers(`${group.keyBase}${output.nameModifier}`, names);
  const segments: Segment[] = [];
  return {
    ...IDLE,
    segmenter: { manifestName: nameOf(`${base}.m3u8`), segments, codecs: [], encryption: undefined },
    subtitles: renditionOf(caption, facts.isDefault),
    finish(): OutputResult {
      const cues = cuesOf(facts, caption.destination);
      // Players count from the time stamps of the pictures, on a clock of 90 kHz.
      const map = `X-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:${Math.round(facts.clockOffsetSeconds * 90_000)}`;
      const isMatched = group.captionSegments === 'match-video';
      for (const { from, to } of cutTimes(facts, isMatched ? group.segmentSeconds : LARGE_SEGMENT, isMatched)) {
        const number = String(segments.length + 1).padStart(5, '0');
        const modifier = expandIdentifiers(output.segmentModifier, { ...names, extension: 'vtt', time: facts.now() });
        const key = `${base}${modifier}_${number}.vtt`;
        const shown = cues.filter((cue) => cue.startMs < to * 1000 && cue.endMs > from * 1000);
        const bytes = Buffer.from(writeWebVtt(shown, [map]));
        put(facts.sink, key, CAPTION_TYPES.webvtt, bytes);
        segments.push({ name: nameOf(key), duration: to - from, bytes: bytes.length });
      }
      // Text is not encrypted, whatever the sound and the picture are.
      const { encryption: _none, ...manifest } = group;
      if (group.areManifestsWritten)
        putHlsManifest(facts.sink, group, `${base}.m3u8`, childManifest(manifest, segments));
      return { paths: [`s3://${group.bucket}/${base}.m3u8`], durationMs: Math.round(facts.seconds() * 1000) };
    },
  };
}

function renditionOf(
  { language, languageName, destination }: ReturnType<typeof required>,
  isDefault: boolean,
): SubtitleRendition {
  return {
    title: languageName ?? language ?? 'captions',
    ...(language !== undefined && { language }),
    isDefault,
    isForAccessibility: destination.isForAccessibility === true,
  };
}

/** From where to where each segment goes, in seconds: at least one. */
function cutTimes(
  facts: CaptionOutputFacts,
  segmentSeconds: number,
  isMatched: boolean,
): { readonly from: number; readonly to: number }[] {
  const leading = isMatched ? facts.leadingSegments() : undefined;
  const total = Math.max(facts.seconds(), 0.001);
  const count = Math.max(1, Math.ceil(total / segmentSeconds - 1e-6));
  const lengths =
    leading?.map(({ duration }) => duration) ??
    Array.from({ length: count }, (_, index) => Math.min(segmentSeconds, total - index * segmentSeconds));
  let at = 0;
  return lengths.map((length) => {
    const from = at;
    at += length;
    return { from, to: at };
  });
}

/** A track of captions in a DASH or CMAF group: fragmented MP4, or one file of text. */
export function openFragmentedCaptions(
  group: FragmentedGroup,
  output: FragmentedOutput,
  facts: CaptionOutputFacts & { readonly isDefault: boolean; readonly id: string; readonly segmentSeconds: number },
): FragmentedOutputHandle {
  const caption = required(output);
  const { destination, language } = caption;
  const named = { time: facts.startedAt, inputName: group.inputName, extension: output.extension };
  const names = segmentNames(group.keyBase, output.nameModifier, (part) => expandIdentifiers(part, named), facts.id);
  const kind = destination.format === 'webvtt' ? 'wvtt' : 'stpp';
  const fileKey = (name: string): string => `${name}.${output.extension}`;
  const segments: FragmentedSegment[] = [];
  let initBytes = 0;
  let indexBytes = 0;
  const isRaw = output.isRawText === true;
  const manifestKey = `${names.stem}.m3u8`;
  const described: DashText = {
    ...(isRaw && { mimeType: CAPTION_TYPES[destination.format] }),
    ...(language !== undefined && { language }),
    ...(caption.languageName !== undefined && { title: caption.languageName }),
    isForAccessibility: destination.isForAccessibility === true,
  };

  const writeFragments = (cues: readonly Cue[]): void => {
    const init = textInit(kind, language);
    initBytes = init.length;
    const pieces: Buffer[] = [];
    for (const { from, to } of cutTimes(facts, facts.segmentSeconds, true)) {
      const [start, end] = [
        Math.round(from * TEXT_TIMESCALE),
        Math.max(Math.round(from * TEXT_TIMESCALE) + 1, Math.round(to * TEXT_TIMESCALE)),
      ];
      const number = segments.length + 1;
      const fragment = textFragment(kind, cues, start, end, {
        sequence: number,
        ...(language !== undefined && { language }),
      });
      const bytes = group.isSingleFile ? fragment : Buffer.concat([SEGMENT_TYPE, fragment]);
      const name = group.isSingleFile ? names.stem : names.segment({ number, time: start });
      segments.push({
        name: nameOf(fileKey(name)),
        duration: (end - start) / TEXT_TIMESCALE,
        bytes: bytes.length,
        start,
        ticks: end - start,
      });
      if (group.isSingleFile) pieces.push(bytes);
      else put(facts.sink, fileKey(name), 'application/mp4', bytes);
    }
    if (!group.isSingleFile) {
      put(facts.sink, fileKey(`${names.stem}init`), 'application/mp4', init);
      return;
    }
    const index = textIndex(segments);
    indexBytes = index.length;
    let offset = initBytes + indexBytes;
    segments.forEach((segment, place) => {
      segments[place] = { ...segment, offset };
      offset += segment.bytes;
    });
    put(facts.sink, fileKey(names.stem), 'application/mp4', Buffer.concat([init, index, ...pieces]));
  };

  return {
    ...IDLE,
    segmenter: { manifestName: nameOf(manifestKey), segments, codecs: [TEXT_CODECS[kind]], encryption: undefined },
    subtitles: renditionOf(caption, facts.isDefault),
    finish(): OutputResult {
      const cues = cuesOf(facts, destination);
      if (isRaw) {
        put(
          facts.sink,
          fileKey(names.stem),
          CAPTION_TYPES[destination.format],
          Buffer.from(writeCaptions(cues, destination, language)),
        );
      } else writeFragments(cues);
      const { hls } = group;
      if (hls !== undefined && !isRaw) {
        const init = { name: nameOf(fileKey(group.isSingleFile ? names.stem : `${names.stem}init`)), bytes: initBytes };
        const { encryption: _none, ...manifest } = hls;
        putHlsManifest(facts.sink, hls, manifestKey, childManifest(manifest, segments, init));
      }
      const isFile = isRaw || group.isSingleFile;
      const paths =
        hls !== undefined
          ? [`s3://${group.bucket}/${manifestKey}`]
          : isFile
            ? [`s3://${group.bucket}/${fileKey(names.stem)}`]
            : [];
      return { paths, durationMs: Math.round(facts.seconds() * 1000) };
    },
    representation: () => ({
      id: facts.id,
      codec: isRaw ? '' : TEXT_CODECS[kind],
      maxBandwidth: 0,
      timescale: TEXT_TIMESCALE,
      segments,
      segmentSeconds: facts.segmentSeconds,
      seconds: facts.seconds(),
      media: isRaw
        ? { kind: 'text', name: nameOf(fileKey(names.stem)) }
        : group.isSingleFile
          ? { kind: 'file', name: nameOf(fileKey(names.stem)), initBytes, indexBytes }
          : {
              kind: 'segments',
              init: nameOf(fileKey(`${names.stem}init`)),
              template: nameOf(`${names.template}.${output.extension}`),
            },
      text: described,
    }),
  };
}

function nameOf(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1);
}
