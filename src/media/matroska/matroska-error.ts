/** Why a Matroska stream is refused. The names are those of PutMedia's error acknowledgements. */
export type MatroskaFault =
  | 'INVALID_MKV_DATA'
  | 'FRAGMENT_TIMECODE_LESSER_THAN_PREVIOUS'
  | 'TRACK_NUMBER_MISMATCH'
  | 'FRAMES_MISSING_FOR_TRACK'
  | 'MORE_THAN_ALLOWED_TRACKS_FOUND'
  | 'FRAGMENT_METADATA_LIMIT_REACHED'
  | 'MAX_FRAGMENT_SIZE_REACHED'
  | 'MAX_FRAGMENT_DURATION_REACHED';

/** A stream that breaks a rule. `message` says which one, for people; it holds none of the stream's content. */
export class MatroskaError extends Error {
  readonly fault: MatroskaFault;
  /** The timecode of the fragment at hand in milliseconds, where it was known. */
  readonly timecodeMs: number | undefined;

  constructor(fault: MatroskaFault, message: string, timecodeMs?: number) {
    super(message);
    this.name = 'MatroskaError';
    this.fault = fault;
    this.timecodeMs = timecodeMs;
  }
}

/** The commonest refusal: the bytes are not the Matroska that is taken here. */
export function invalid(message: string): MatroskaError {
  return new MatroskaError('INVALID_MKV_DATA', message);
}
