/**
 * What a transcode worker is asked to do: plain data that crosses a process boundary. MediaConvert's job settings are
 * turned into it by `services/mediaconvert`. The keys in it are secrets: they cross the worker's pipe and are in memory.
 */
export interface TranscodeJob {
  /** Stitched together in this order. At least one. */
  readonly inputs: readonly TranscodeInput[];
  /** At least one. */
  readonly groups: readonly OutputGroup[];
  /** Milliseconds since the epoch: what `$dt$`, `$d$` and `$t$` in names stand for. */
  readonly startedAt: number;
}

export interface S3Location {
  readonly bucket: string;
  readonly key: string;
}

export interface Rational {
  readonly num: number;
  readonly den: number;
}

export interface TranscodeInput {
  readonly source: S3Location;
  /** By the name by which outputs refer to them. */
  readonly audioSelectors: Readonly<Record<string, AudioSelector>>;
  /** Set where the object was encrypted as a whole before it was stored. */
  readonly decryption?: InputDecryption;
  /** Absent: all of it. */
  readonly clips?: InputClips;
}

/** The parts of an input that are wanted, joined in this order. */
export interface InputClips {
  /** The timecode of the first picture, or where it comes from. */
  readonly firstTimecode: 'embedded' | 'zero' | (string & {});
  /** By timecodes, each of the two inclusive; absent: the input's beginning or end. */
  readonly parts: readonly { readonly start?: string; readonly end?: string }[];
}

export interface InputDecryption {
  readonly mode: 'ctr' | 'cbc' | 'gcm';
  /** The plain data key; whoever has used it overwrites it. */
  readonly key: Uint8Array;
  /** 16 bytes, or 12 with CTR and GCM. */
  readonly iv: Uint8Array;
}

/** Which audio stream of an input is meant. */
export type AudioSelector =
  /** The first audio stream that the container marks as default, or silence where there is no audio. */
  | { readonly kind: 'default' }
  /** The nth audio stream, counted from 1. */
  | { readonly kind: 'track'; readonly track: number }
  /** An MPEG-TS packet identifier. */
  | { readonly kind: 'pid'; readonly pid: number }
  /** The first audio stream in this language (ISO 639-2, three letters, lower case). */
  | { readonly kind: 'language'; readonly code: string };

export type OutputGroup = FileGroup | HlsGroup | FragmentedGroup;

interface GroupFacts {
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
  readonly acl?: 'bucket-owner-full-control';
}

export interface FileGroup extends GroupFacts {
  readonly kind: 'file';
  readonly outputs: readonly FileOutput[];
}

export interface FileOutput {
  readonly nameModifier: string;
  readonly extension: string;
  /** `pictures`: each picture is an object of its own, a number before its extension. */
  readonly container: 'mp4' | 'mov' | 'pictures' | 'wav' | 'mp3' | 'flac';
  /** Where MP4's and MOV's index stands: at the front for progressive download, or at the end. */
  readonly moov?: 'front' | 'end';
  /** Writes composition times that begin at 0, with negative offsets and a `cslg` box; the version is `ctts`'s. */
  readonly compositionShift?: 0 | 1;
  readonly video?: VideoSettings;
  readonly audios: readonly AudioSettings[];
}

export interface HlsGroup extends GroupFacts, HlsManifestSettings {
  readonly kind: 'hls';
  /** Seconds, before rounding up to whole GOPs where `alignment` says so. */
  readonly segmentSeconds: number;
  readonly alignment: 'exact' | 'gop-multiple';
  readonly areManifestsWritten: boolean;
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
  /** Absent: the content is not encrypted. */
  readonly encryption?: HlsEncryption;
}

/** Fragmented MP4, one track to an output: DASH ISO has an MPD, CMAF an MPD and HLS manifests. */
export interface FragmentedGroup extends GroupFacts {
  readonly kind: 'dash' | 'cmaf';
  /** Seconds, before rounding up to whole GOPs where `alignment` says so. */
  readonly segmentSeconds: number;
  /** A fragment ends before the first key frame after so many seconds. */
  readonly fragmentSeconds: number;
  readonly alignment: 'exact' | 'gop-multiple';
  /** True puts an output's segments into one file. */
  readonly isSingleFile: boolean;
  /** Absent: no MPD is written. */
  readonly dash?: DashManifestSettings;
  /** Absent: no HLS manifests are written. */
  readonly hls?: HlsManifestSettings;
  readonly outputs: readonly FragmentedOutput[];
}

export interface DashManifestSettings {
  readonly profile: 'main' | 'on-demand';
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
  readonly audioRendition?: AudioRendition;
  readonly audioGroupIds: readonly string[];
}

/** How the content of an HLS group is encrypted, for players that get the key from its URI. */
export interface HlsEncryption {
  /** Whole segments, or the samples in them. */
  readonly method: 'AES-128' | 'SAMPLE-AES';
  /** 16 bytes. */
  readonly key: Uint8Array;
  /** 16 bytes. Absent: each segment's own number. */
  readonly iv?: Uint8Array;
  readonly isIvListed: boolean;
  readonly keyUri: string;
  readonly keyFormat?: string;
  /** Such as `1/2`. */
  readonly keyFormatVersions?: string;
  /** True names the key in the main manifest too. */
  readonly isSessionKeyWritten: boolean;
}

export interface HlsOutput {
  readonly nameModifier: string;
  readonly segmentModifier: string;
  readonly video?: VideoSettings;
  readonly audios: readonly AudioSettings[];
  readonly transport: TransportSettings;
  /** Set on audio renditions that variants refer to by group. */
  readonly audioRendition?: AudioRendition;
  /** The rendition groups that a variant plays with; empty for none. */
  readonly audioGroupIds: readonly string[];
}

export interface AudioRendition {
  readonly groupId: string;
  readonly isDefault: boolean;
  readonly isAutoSelected: boolean;
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
}

export interface VideoSettings {
  /** Pixels, even. With only one of the two the other follows in proportion; with none, the first input's size. */
  readonly width?: number;
  readonly height?: number;
  readonly scaling: 'fit-and-pad' | 'stretch' | 'fit' | 'fit-no-upscale' | 'fill';
  /** The kernel of the scaler. */
  readonly scaler: 'bicubic' | 'lanczos' | 'bilinear';
  /** Absent: the first input's rate. */
  readonly framerate?: Rational;
  /** Absent: the first input's. */
  readonly pixelAspect?: Rational;
  readonly isColorTagged: boolean;
  /** How pictures come about that the input does not have; absent: they are repeated. */
  readonly rateConversion?: 'blend';
  /** Absent: interlaced pictures stay as they are. */
  readonly deinterlace?: {
    /** Only those that are marked as interlaced, or every one. */
    readonly pictures: 'interlaced' | 'all';
    /** Which pictures are interlaced is seen from them, whatever their marks say. */
    readonly isDetected: boolean;
  };
  readonly codec: VideoCodecSettings;
}

export type VideoCodecSettings = PredictedVideoSettings | Av1Settings | JpegSettings;

export type PredictedVideoSettings = H264Settings | H265Settings;

/** What the encoders of H.264 and H.265 have in common. */
export interface PredictedPictureSettings {
  readonly rateControl:
    | { readonly mode: 'cbr'; readonly bitrate: number }
    | { readonly mode: 'vbr'; readonly bitrate: number; readonly maxBitrate?: number }
    /** `level` from 1 to 10, with fractions. */
    | { readonly mode: 'qvbr'; readonly level: number; readonly maxBitrate: number };
  /** Bits. */
  readonly bufferSize?: number;
  /** Percent. */
  readonly bufferInitialFill?: number;
  readonly preset: 'veryfast' | 'medium';
  /** Absent: two seconds, or what the segments ask for. */
  readonly gop?: { readonly size: number; readonly unit: 'frames' | 'seconds' };
  readonly minKeyInterval?: number;
  readonly isSceneChangeDetected: boolean;
  readonly isGopOpen: boolean;
  readonly bFrames?: number;
  readonly isBFrameCountAdaptive: boolean;
  readonly areBFramesReferences?: boolean;
  readonly references?: number;
  readonly slices?: number;
  /** Such as `4.1`. */
  readonly level?: string;
  /** The strength of variance-based adaptive quantisation; 0 turns it off. */
  readonly adaptiveQuantization?: number;
  readonly isTemporalAdaptive: boolean;
}

export interface H264Settings extends PredictedPictureSettings {
  readonly kind: 'h264';
  readonly profile: 'baseline' | 'main' | 'high';
  readonly entropy?: 'cabac' | 'cavlc';
}

export interface H265Settings extends PredictedPictureSettings {
  readonly kind: 'h265';
  /** With 8 or 10 bits a sample. */
  readonly profile: 'main' | 'main10';
  readonly tier: 'main' | 'high';
  readonly isDeblocked: boolean;
  readonly isSampleOffsetAdaptive: boolean;
  /** Pixels of a side; absent: the encoder's choice. */
  readonly treeBlockSize?: 32;
  readonly isMotionPredictedOverTime: boolean;
  /** How MP4 names it: `hvc1` keeps the parameter sets in the index, `hev1` in the stream too. */
  readonly tag: 'hvc1' | 'hev1';
}

export interface Av1Settings {
  readonly kind: 'av1';
  readonly rateControl: Extract<PredictedPictureSettings['rateControl'], { readonly mode: 'qvbr' }>;
  /** Absent: two seconds. */
  readonly gop?: { readonly size: number; readonly unit: 'frames' };
  readonly bFrames?: 3 | 7 | 15;
  readonly bitDepth: 8 | 10;
}

/** Pictures at the output's frame rate, from the first one on. */
export interface JpegSettings {
  readonly kind: 'jpeg';
  /** 1 to 100. */
  readonly quality: number;
  readonly maxPictures?: number;
}

export interface AudioSettings {
  readonly selector: string;
  /** ISO 639-2, lower case; absent: unknown. */
  readonly language?: string;
  /** True: the input's own language goes before `language`. */
  readonly isLanguageFollowed?: boolean;
  readonly streamName?: string;
  readonly codec: AudioCodecSettings;
}

export type AudioCodecSettings = AacSettings | Mp3Settings | UncompressedSettings;

interface SampledSettings {
  readonly sampleRate: number;
  readonly channels: 1 | 2 | 6 | 8;
}

interface Mp3Settings extends SampledSettings {
  readonly kind: 'mp3';
  /** Bits a second, or a quality from 0, the best, to 9. */
  readonly rate:
    | { readonly mode: 'cbr'; readonly bitrate: number }
    | { readonly mode: 'vbr'; readonly quality: number };
}

/** Every sample as it is, in WAV, or packed without loss, in FLAC. */
interface UncompressedSettings extends SampledSettings {
  readonly kind: 'wav' | 'flac';
  /** Bits of a sample. */
  readonly bitDepth: 16 | 24;
  /** True writes WAV in the form for files of more than 4 GiB. */
  readonly isRf64?: boolean;
}

/** AAC LC. */
interface AacSettings {
  readonly kind: 'aac';
  /** Bits a second. */
  readonly bitrate: number;
  readonly sampleRate: number;
  readonly channels: 1 | 2 | 6;
}

/** What a probe of an input found. */
export interface MediaInfo {
  /** FFmpeg's name of the demuxer. */
  readonly format: string;
  readonly durationSeconds?: number;
  readonly streams: readonly StreamInfo[];
}

export interface StreamInfo {
  readonly index: number;
  /** The stream's own number in the container: a PID in MPEG-TS, a track id in MP4. */
  readonly id: number;
  readonly kind: 'video' | 'audio' | 'other';
  readonly codec: string;
  readonly durationSeconds?: number;
  readonly bitrate?: number;
  readonly language?: string;
  readonly width?: number;
  readonly height?: number;
  readonly framerate?: Rational;
  readonly pixelAspect?: Rational;
  readonly sampleRate?: number;
  readonly channels?: number;
}

type TranscodePhase = 'PROBING' | 'TRANSCODING' | 'UPLOADING';

/** What a running job tells. */
export type TranscodeEvent =
  | { readonly kind: 'phase'; readonly phase: TranscodePhase }
  | { readonly kind: 'input'; readonly index: number; readonly info: MediaInfo }
  /** `percent` is absent where the inputs' length is unknown. */
  | { readonly kind: 'progress'; readonly percent?: number; readonly framesDecoded: number }
  | { readonly kind: 'warning'; readonly code: number; readonly message: string };

/** What a finished job has written. */
export interface TranscodeResult {
  readonly groups: readonly GroupResult[];
}

export interface GroupResult {
  readonly kind: OutputGroup['kind'];
  /** `s3://…` */
  readonly playlistPaths: readonly string[];
  readonly outputs: readonly OutputResult[];
}

export interface OutputResult {
  /** `s3://…` */
  readonly paths: readonly string[];
  readonly durationMs: number;
  readonly width?: number;
  readonly height?: number;
  /** Bits a second. */
  readonly averageBitrate?: number;
}
