import type { Remix } from './audio-settings.ts';
import type { CaptionSelector } from './caption-settings.ts';
import type { InputPicture } from './picture-settings.ts';
import type { Rational } from './video-settings.ts';

export interface S3Location {
  readonly bucket: string;
  readonly key: string;
}

/** A file of a web server. */
export interface HttpLocation {
  /** Of http or https, without a user's name. */
  readonly url: string;
}

export type MediaLocation = S3Location | HttpLocation;

/** A film that is made: silent, and of one picture. */
export interface GeneratedFilm {
  readonly milliseconds: number;
  /** Pixels, even. */
  readonly width: number;
  readonly height: number;
  readonly framerate: Rational;
  /** Is in the middle, as large as fits; absent: black. */
  readonly image?: MediaLocation;
  /** Of the silence; absent: there is no sound. */
  readonly channels?: number;
}

export type InputSource = MediaLocation | GeneratedFilm;

export interface TranscodeInput {
  readonly source: InputSource;
  /** By the name by which outputs refer to them. */
  readonly audioSelectors: Readonly<Record<string, AudioSelector>>;
  /** For outputs that name a selector which the input does not have; absent: the input's usual sound. */
  readonly fallbackAudio?: AudioSelector;
  readonly captionSelectors?: Readonly<Record<string, CaptionSelector>>;
  /** Set where the object was encrypted as a whole before it was stored. */
  readonly decryption?: InputDecryption;
  /** Of a transport stream with several programs: its number, or all streams whatever tables say; absent: the first. */
  readonly program?: number | 'any';
  /** What is done to its pictures. */
  readonly picture?: InputPicture;
  /** Where its pictures are counted from; absent: its own timecodes. */
  readonly firstTimecode?: 'embedded' | 'zero' | (string & {});
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

/** What sound of an input is meant, and what is done to it before an output has it. */
export interface AudioSelector {
  /** Several tracks are put side by side, as one sound of all their channels. */
  readonly pick: AudioPick;
  /** Seconds by which the sound is later than its input says; negative: earlier. */
  readonly offsetSeconds?: number;
  readonly remix?: Remix;
  /** Set where the sound is in another file, in step with the input's beginning. */
  readonly external?: MediaLocation;
}

/** Which audio streams of a file are meant. */
export type AudioPick =
  /** The first audio stream that the container marks as default, or silence where there is no audio. */
  | { readonly kind: 'default' }
  /** Nothing: silence. */
  | { readonly kind: 'none' }
  /** Audio streams by their places among the audio streams, counted from 1. */
  | { readonly kind: 'tracks'; readonly tracks: readonly number[] }
  /** Audio streams by their places among all streams, counted from 1. */
  | { readonly kind: 'streams'; readonly streams: readonly number[] }
  /** MPEG-TS packet identifiers. */
  | { readonly kind: 'pids'; readonly pids: readonly number[] }
  /** The first audio stream in this language (ISO 639-2, three letters, lower case). */
  | { readonly kind: 'language'; readonly code: string }
  /** All that is not compressed. */
  | { readonly kind: 'pcm' };
