import type { AbrSettings } from './abr-ladder.ts';
import type { AudioSettings } from './audio-settings.ts';
import type { CaptionOutput } from './caption-settings.ts';
import type { ClosedCaptions } from './packaging/hls-captions.ts';
import type { ContentEncryption, RenditionEncryption } from './content-encryption.ts';
import type { EventMessages, TimestampTags } from './timed-metadata.ts';
import type { VideoSettings } from './video-settings.ts';

export type OutputGroup = FileGroup | HlsGroup | FragmentedGroup | SmoothGroup;

interface GroupFacts {
  /** Set where the input decides which renditions there are. */
  readonly abr?: AbrSettings;
  readonly bucket: string;
  /** The key without modifier and extension; may hold `$…$` identifiers. */
  readonly keyBase: string;
  /** What the identifier `$fn$` stands for: the first input's file name without its extension. */
  readonly inputName: string;
  readonly storage: ObjectStorage;
}

/** How every object of a group is stored. */
export interface ObjectStorage {
  /** Absent: no header is sent, and the bucket's default acts. */
  readonly encryption?: {
    readonly algorithm: 'AES256' | 'aws:kms';
    readonly kmsKeyArn?: string;
    /** Base64 of a JSON object, as the header carries it. */
    readonly kmsContext?: string;
  };
  /** The canned ACL of S3 that every object is written with. */
  readonly acl?: 'public-read' | 'authenticated-read' | 'bucket-owner-read' | 'bucket-owner-full-control';
}

export interface FileGroup extends GroupFacts {
  readonly kind: 'file';
  readonly outputs: readonly FileOutput[];
}

/** A sound alone in its file: headers of its own, or none. */
type SoundContainer = 'aiff' | 'ac3' | 'eac3' | 'mp2' | 'adts' | 'latm' | 'opus' | 'ogg';

export interface FileOutput {
  readonly nameModifier: string;
  readonly extension: string;
  /** `pictures`: each picture is an object of its own, a number before its extension. */
  readonly container:
    | 'mp4'
    | 'mov'
    | 'f4v'
    | 'pictures'
    | 'captions'
    | 'wav'
    | 'mp3'
    | 'flac'
    | SoundContainer
    | MovieContainer;
  /** Of `m2ts`. */
  readonly transport?: TransportFileSettings;
  /** Where MP4's and MOV's index stands: at the front for progressive download, or at the end. */
  readonly moov?: 'front' | 'end';
  /** Writes composition times that begin at 0, with negative offsets and a `cslg` box; the version is `ctts`'s. */
  readonly compositionShift?: 0 | 1;
  /** MP4: what readers take the file for; absent: the muxer's choice. */
  readonly majorBrand?: string;
  /** MP4: room behind the index, for what editors add to it. */
  readonly hasFreeSpace?: boolean;
  /** MOV: says that all of the picture is to be shown. */
  readonly hasCleanAperture?: boolean;
  readonly video?: VideoSettings;
  readonly audios: readonly AudioSettings[];
  /** Text alone, or what is drawn on or put into the picture. */
  readonly captions?: readonly CaptionOutput[];
}

/** A main manifest that names some of a group's outputs, beside the one that names all of them. */
export interface AdditionalManifest {
  /** Comes behind the group's own name. */
  readonly nameModifier: string;
  /** By their name modifiers; absent: all. */
  readonly selectedOutputs?: readonly string[];
}

/** Files that are written from front to end, or whose head alone is completed in the end. */
export type MovieContainer =
  | 'm2ts'
  | 'mxf'
  | 'webm'
  | 'gif'
  | 'y4m'
  /** No container: the stream as the encoder makes it. */
  | 'h264'
  | 'h265'
  | 'mpeg2';

/** Images for fast forward: thumbnails in rows and columns. */
export interface TrickPlayImages {
  /** Comes behind the group's own name. */
  readonly nameModifier: string;
  /** Of a thumbnail; absent: the size of the group's first picture. */
  readonly width?: number;
  /** Absent: in proportion. */
  readonly height?: number;
  readonly columns: number;
  readonly rows: number;
  /** Absent: a segment. */
  readonly intervalSeconds?: number;
}

export interface HlsGroup extends GroupFacts, HlsManifestSettings {
  readonly kind: 'hls';
  readonly trickPlayImages?: readonly TrickPlayImages[];
  readonly additionalManifests?: readonly AdditionalManifest[];
  /** True puts an output's segments into one file. */
  readonly isSingleFile?: boolean;
  /** Absent: segments lie beside the manifests; else each output has a folder, with others in it where a number is given. */
  readonly directories?: { readonly segmentsPerDirectory?: number };
  /** Absent: no dates are told; else one at least so many seconds. */
  readonly programDateTime?: { readonly periodSeconds: number };
  /** Seconds, before rounding up to whole GOPs, or to the nearest of whole pictures and frames of sound (`match`). */
  readonly segmentSeconds: number;
  readonly alignment: 'exact' | 'gop-multiple' | 'match';
  /** A last segment of fewer seconds becomes part of the one before. */
  readonly minFinalSeconds?: number;
  readonly areManifestsWritten: boolean;
  /** True writes them while the job runs, too, from three segments on. */
  readonly areManifestsProgressive?: boolean;
  /** How long segments of text are: five minutes, or as the pictures'. */
  readonly captionSegments?: 'large' | 'match-video';
  /** Absent: the content is not encrypted. */
  readonly content?: ContentEncryption;
  readonly outputs: readonly HlsOutput[];
}

/** How HLS manifests are written. */
export interface HlsManifestSettings {
  readonly durationFormat: 'integer' | 'floating-point';
  /** How the longest segment becomes the target duration: to the nearest second, or to the next. */
  readonly targetDuration: 'nearest' | 'up';
  readonly codecSpecification: 'RFC_6381' | 'RFC_4281';
  readonly isResolutionShown: boolean;
  /** False writes `EXT-X-ALLOW-CACHE:NO`. */
  readonly isClientCacheAllowed: boolean;
  readonly isManifestGzipped: boolean;
  /** Put before every URI in the manifests. */
  readonly baseUrl: string;
  /** Of the rendition whose manifest it is. Absent: it is not encrypted. */
  readonly encryption?: RenditionEncryption;
  /** What the main manifest says of captions in the pictures; absent: nothing. */
  readonly closedCaptions?: ClosedCaptions;
}

/** Fragmented MP4, one track to an output: DASH ISO has an MPD, CMAF an MPD and HLS manifests. */
export interface FragmentedGroup extends GroupFacts {
  readonly kind: 'dash' | 'cmaf';
  readonly trickPlayImages?: readonly TrickPlayImages[];
  readonly additionalManifests?: readonly AdditionalManifest[];
  /** Seconds, before rounding up to whole GOPs, or to the nearest of whole pictures and frames of sound (`match`). */
  readonly segmentSeconds: number;
  /** A fragment ends before the first key frame after so many seconds. */
  readonly fragmentSeconds: number;
  readonly alignment: 'exact' | 'gop-multiple' | 'match';
  /** A last segment of fewer seconds becomes part of the one before. */
  readonly minFinalSeconds?: number;
  /** True puts an output's segments into one file. */
  readonly isSingleFile: boolean;
  /** Absent: no MPD is written. */
  readonly dash?: DashManifestSettings;
  /** Absent: no HLS manifests are written. */
  readonly hls?: HlsManifestSettings;
  /** Absent: the content is not encrypted. */
  readonly content?: ContentEncryption;
  readonly outputs: readonly FragmentedOutput[];
}

/** Smooth Streaming: a file of fragments for each output, and manifests for a server and for players. */
export interface SmoothGroup extends GroupFacts {
  readonly kind: 'smooth';
  readonly additionalManifests?: readonly AdditionalManifest[];
  /** Of a fragment, before rounding up to whole GOPs where `alignment` says so. */
  readonly segmentSeconds: number;
  readonly alignment: 'exact' | 'gop-multiple';
  /** Of the manifests. */
  readonly encoding: 'utf-8' | 'utf-16';
  /** With one key. Absent: the content is not encrypted. */
  readonly content?: ContentEncryption;
  readonly outputs: readonly SmoothOutput[];
}

export interface SmoothOutput {
  readonly nameModifier: string;
  readonly extension: string;
  readonly video?: VideoSettings;
  readonly audios: readonly AudioSettings[];
  /** Drawn on the picture. */
  readonly captions?: readonly CaptionOutput[];
}

export interface DashManifestSettings {
  readonly profile: 'main' | 'on-demand' | 'hbbtv';
  /**
   * Where timelines stand. Absent: with each representation. `video`: in the adaptation set of pictures; `rates`: in one
   * for each frame rate; `all`: in those of sound too. Representations whose segments are others keep their own.
   */
  readonly commonTimeline?: 'video' | 'rates' | 'all';
  /** How the number of channels is told. */
  readonly channelScheme?: 'mpeg' | 'dolby';
  /** True tells the exact length of each segment, false about how long they are. */
  readonly isTimelineWritten: boolean;
  /** What a picture's bandwidth is: as measured, or the most that its settings allow. */
  readonly bandwidth: 'average' | 'max';
  /** Absent: a segment. */
  readonly minBufferMs?: number;
  /** Empty for none. */
  readonly baseUrl: string;
}

/** Either a picture or one sound. */
export interface FragmentedOutput {
  /** May hold `$Number$`, `$Time$` and `$RepresentationID$`. */
  readonly nameModifier: string;
  readonly extension: string;
  readonly video?: VideoSettings;
  readonly audios: readonly AudioSettings[];
  /** Text alone, or what is drawn on or put into the picture. */
  readonly captions?: readonly CaptionOutput[];
  /** True tells in the MPD of captions that are in the picture. */
  readonly areCaptionsHinted?: boolean;
  /** Absent: the job's tags are not passed on. */
  readonly events?: EventMessages;
  /** True keeps captions in a file of text instead of fragmented MP4. */
  readonly isRawText?: boolean;
  readonly audioRendition?: AudioRendition;
  readonly audioGroupIds: readonly string[];
  /** True adds an HLS manifest of the pictures that can be decoded alone. */
  readonly hasIFrameManifest?: boolean;
}

export interface HlsOutput {
  readonly nameModifier: string;
  readonly segmentModifier: string;
  readonly video?: VideoSettings;
  readonly audios: readonly AudioSettings[];
  /** Text alone, or what is drawn on or put into the picture. */
  readonly captions?: readonly CaptionOutput[];
  readonly transport: TransportSettings;
  /** Of the stream of tags, and which are in it beside the job's; absent: there is none. */
  readonly tags?: { readonly pid: number; readonly stamps?: TimestampTags };
  /** Set where segments are the coded sound and nothing around it, perhaps with its time in an ID3 tag in front. */
  readonly packedAudio?: { readonly isTimed: boolean };
  /** A manifest of the pictures that can be decoded alone: as ranges of the segments, or as files of their own. */
  readonly iFrames?: 'ranges' | 'files';
  /** Set on audio renditions that variants refer to by group. */
  readonly audioRendition?: AudioRendition;
  /** The rendition groups that a variant plays with; empty for none. */
  readonly audioGroupIds: readonly string[];
}

export interface AudioRendition {
  readonly groupId: string;
  readonly isDefault: boolean;
  readonly isAutoSelected: boolean;
  /** True: it describes the picture to those who cannot see it. */
  readonly isDescriptive?: boolean;
}

/** The numbers of an MPEG transport stream. */
export interface TransportSettings {
  readonly pmtPid: number;
  readonly videoPid: number;
  /** In the order of the audio tracks. */
  readonly audioPids: readonly number[];
  readonly programNumber: number;
  readonly transportStreamId: number;
  readonly audioFramesPerPes: number;
  /** Added to every timestamp. */
  readonly clockOffsetSeconds: number;
  /** Added to the timestamps of sound, beside the other. */
  readonly audioOffsetSeconds?: number;
  /** How often tables are repeated; absent: at each segment's beginning. */
  readonly tablePeriodSeconds?: number;
  /** Milliseconds between two clock references; absent: about 100. */
  readonly clockPeriodMs?: number;
}

/** A transport stream that is one file. */
export interface TransportFileSettings extends TransportSettings {
  /** Bits a second, to which null packets fill the stream; `auto` is what its tracks may need; absent: no filling. */
  readonly constantRate?: number | 'auto';
  /** Bits a second of null packets beyond that. */
  readonly nullRate: number;
  readonly clockPeriodMs: number;
  readonly tablePeriodMs: number;
  /** True lets packets leave as early as they can. */
  readonly isLowDelay: boolean;
  /** True describes Dolby sound as DVB does, false as ATSC does. */
  readonly isDvb: boolean;
}
