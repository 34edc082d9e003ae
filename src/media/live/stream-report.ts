/** What the monitor of a transport stream counts: ETSI TR 101 290, priorities 1 and 2, since the flow's start. */
export interface StreamHealth {
  /** Priority 1. */
  readonly syncLosses: number;
  readonly syncByteErrors: number;
  readonly patErrors: number;
  readonly continuityErrors: number;
  readonly pmtErrors: number;
  readonly pidErrors: number;
  /** Priority 2. */
  readonly transportErrors: number;
  readonly crcErrors: number;
  readonly pcrErrors: number;
  readonly pcrAccuracyErrors: number;
  readonly ptsErrors: number;
  readonly catErrors: number;
  /** Transport stream packets that were seen. */
  readonly packets: number;
  /** Payload that is no transport stream and was thrown away, in bytes. */
  readonly garbageBytes: number;
}

/** A program as its PMT and its streams tell. */
export interface ProgramInfo {
  readonly programNumber: number;
  readonly programPid: number;
  readonly pcrPid: number;
  readonly programName: string | undefined;
  readonly streams: readonly ElementaryStreamInfo[];
}

export interface ElementaryStreamInfo {
  readonly pid: number;
  readonly kind: 'video' | 'audio' | 'data';
  /** Such as `H.264`, `HEVC`, `AAC`, `AC-3`, `MPEG-1 Audio`; of unknown ones their stream type in hexadecimal. */
  readonly codec: string;
  /** Such as `25` or `29.97`; `undefined` until known. */
  readonly frameRate: string | undefined;
  /** Such as `1920x1080`. */
  readonly frameResolution: string | undefined;
  readonly channels: number | undefined;
  /** Hz. */
  readonly sampleRate: number | undefined;
  readonly sampleSize: number | undefined;
}
