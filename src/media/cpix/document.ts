/** `1.0`: without `X-Speke-Version`; else what that header says. */
export type SpekeVersion = '1.0' | '2.0';

/** ISO/IEC 23001-7: AES-CTR or AES-CBC, of whole samples or in a pattern. */
export type EncryptionScheme = 'cenc' | 'cens' | 'cbc1' | 'cbcs';

/** What an encryptor asks a key provider: the form of the answer, with nothing filled in. */
export interface CpixRequest {
  readonly version: SpekeVersion;
  /** What the keys are for: MediaConvert's `resourceId`. */
  readonly contentId: string;
  readonly keys: readonly RequestedKey[];
  readonly systems: readonly RequestedSystem[];
  /** v2: which tracks each key is for. v1 has none. */
  readonly rules: readonly UsageRule[];
  /** Certificates (DER) for which the keys shall be encrypted; with none they come in the clear within TLS. */
  readonly certificates: readonly Buffer[];
}

export interface RequestedKey {
  /** A UUID in lower case. */
  readonly kid: string;
  /** 8 or 16 bytes. */
  readonly explicitIv?: Buffer;
  /** v2: always. */
  readonly scheme?: EncryptionScheme;
}

export interface RequestedSystem {
  readonly kid: string;
  /** A UUID in lower case. */
  readonly systemId: string;
  readonly wanted: readonly SignalName[];
}

/** What a key provider answers. */
export interface CpixResponse extends Pick<CpixRequest, 'version' | 'contentId' | 'rules'> {
  readonly keys: readonly ContentKey[];
  readonly systems: readonly DrmSystem[];
}

export interface ContentKey extends RequestedKey {
  /** 16 bytes. */
  readonly value: Buffer;
}

export interface DrmSystem {
  readonly kid: string;
  readonly systemId: string;
  readonly signals: DrmSignals;
}

/** What goes into segments and manifests so that players of one DRM system find their key. */
export interface DrmSignals {
  /** XML: what stands within the system's ContentProtection element of an MPD. */
  readonly contentProtection?: string;
  /** A whole `pssh` box. */
  readonly pssh?: Buffer;
  /** v1: what goes into EXT-X-KEY. */
  readonly keyUri?: string;
  readonly keyFormat?: string;
  readonly keyFormatVersions?: string;
  /** v2: whole tags, as EXT-X-KEY of media playlists and EXT-X-SESSION-KEY of the master. */
  readonly hlsMedia?: string;
  readonly hlsMaster?: string;
  /** PlayReady's object, which Smooth manifests carry as base64. */
  readonly protectionHeader?: Buffer;
}

export type SignalName = keyof DrmSignals;

/** v2: for which tracks a key is. */
export interface UsageRule {
  readonly kid: string;
  /** Such as `ALL`, `VIDEO`, `AUDIO`, `SD+HD1`: one word for each filter. */
  readonly intendedTrackType: string;
  readonly videoFilters: readonly VideoFilter[];
  readonly audioFilters: readonly AudioFilter[];
}

/** Bounds are inclusive; without them there is none. */
export interface VideoFilter {
  readonly minPixels?: number;
  readonly maxPixels?: number;
  readonly minFps?: number;
  readonly maxFps?: number;
  readonly hdr?: boolean;
}

export interface AudioFilter {
  readonly minChannels?: number;
  readonly maxChannels?: number;
}
