/**
 * How the content of a group is encrypted, for players that get the key from somewhere else. The keys are secrets, and
 * are in memory only.
 */
export interface ContentEncryption {
  /** AES-128: whole segments. Else their samples, in fragmented MP4 by the schemes `cbcs` and `cenc`. */
  readonly method: 'AES-128' | 'SAMPLE-AES' | 'SAMPLE-AES-CTR';
  /** A rendition has the first one that is for such as it; what none is for stays in the clear. */
  readonly keys: readonly GroupKey[];
  /** Whether HLS manifests list initialization vectors. */
  readonly isIvListed: boolean;
  /** True names the keys in the main HLS manifest too. */
  readonly isSessionKeyWritten: boolean;
  /** So many segments at the beginning of each rendition stay in the clear. */
  readonly clearSegments: number;
}

/** A content key, what it is for, and what tells players of it. */
export interface GroupKey {
  readonly use: KeyUse;
  /** 16 bytes. */
  readonly key: Uint8Array;
  /** 16 bytes; fragmented MP4 names keys by it. */
  readonly keyId: Uint8Array;
  /** 16 bytes. Absent: in transport streams each segment's own number, in `cbcs` one at random. */
  readonly iv?: Uint8Array;
  readonly playlists: readonly PlaylistKey[];
  /** Elements of MPDs. */
  readonly dash: readonly DashProtection[];
  /** Of Smooth Streaming's manifests. */
  readonly smooth: readonly SmoothProtection[];
  /** Whole `pssh` boxes. */
  readonly psshs: readonly Uint8Array[];
}

/** Numbers of pixels, or of channels, both ends included. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

export interface KeyUse {
  readonly pixels: readonly Range[];
  readonly channels: readonly Range[];
}

/** For all that there is. */
export const ANY_USE: KeyUse = {
  pixels: [{ from: 0, to: Number.MAX_SAFE_INTEGER }],
  channels: [{ from: 0, to: Number.MAX_SAFE_INTEGER }],
};

/** How HLS manifests tell of a key: where it is, or in whole lines as the key's provider wrote them. */
export type PlaylistKey =
  | { readonly kind: 'address'; readonly uri: string; readonly keyFormat?: string; readonly keyFormatVersions?: string }
  | { readonly kind: 'lines'; readonly media: readonly string[]; readonly session: readonly string[] };

export interface DashProtection {
  /** A UUID in lower case. */
  readonly systemId: string;
  /** XML that stands in the element. */
  readonly content: string;
}

export interface SmoothProtection {
  /** A UUID in lower case. */
  readonly systemId: string;
  /** Base64. */
  readonly header: string;
}

/** What one rendition is encrypted with. */
export interface RenditionEncryption extends Omit<ContentEncryption, 'keys'>, GroupKey {
  /** True where all renditions have the same vector. */
  readonly isIvOfGroup: boolean;
}

/** @returns undefined for a rendition that stays in the clear */
export function encryptionOf(
  encryption: ContentEncryption | undefined,
  rendition: { readonly pixels?: number; readonly channels?: number },
): RenditionEncryption | undefined {
  if (encryption === undefined) return undefined;
  const { keys, ...facts } = encryption;
  const { pixels, channels } = rendition;
  const isIn = (ranges: readonly Range[], value: number): boolean =>
    ranges.some(({ from, to }) => value >= from && value <= to);
  // A picture decides for the sound that is muxed with it.
  const key = keys.find(({ use }) =>
    pixels === undefined ? isIn(use.channels, channels ?? 0) : isIn(use.pixels, pixels),
  );
  return key && { ...facts, ...key, isIvOfGroup: key.iv !== undefined };
}
