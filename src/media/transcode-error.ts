/**
 * Why a job failed, with the code by which MediaConvert's guide lists it. The message goes to the client: it names
 * `s3://` locations and S3's own refusals, never credentials or signed addresses.
 */
export class TranscodeError extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.name = 'TranscodeError';
    this.code = code;
  }
}

/** The codes that Coffer gives. Source: "MediaConvert error codes" in the MediaConvert user guide. */
export const ERROR_CODES = {
  inputUnreadable: 1010,
  noVideo: 1020,
  noAudio: 1021,
  unsupportedInput: 1030,
  settingsDoNotFit: 1040,
  clipNotFound: 1060,
  readStoppedEarly: 1076,
  encryptionFailed: 1091,
  accessDenied: 1401,
  notFound: 1404,
  unknown: 1999,
  httpLogin: 3401,
  httpRefused: 3403,
  httpMissing: 3404,
  httpOther: 3408,
  httpServer: 3450,
  httpConnection: 3451,
  httpDisallowed: 3457,
} as const;

export function unableToOpen(uri: string, cause: string): string {
  return `Unable to open input file [${uri}]: [Failed probe/open: [${cause}]]`;
}

export function unableToWrite(uri: string, cause: string): string {
  return `Unable to write to output file [${uri}]: [Failed to write data: ${cause}]`;
}

/** Whether a refusal of S3 is the one of an object that is not there, to somebody who may not list its bucket. */
export function isMissingOrHidden(message: string): boolean {
  return message.includes('s3:ListBucket');
}

export const MISSING_OR_HIDDEN =
  ' (the object does not exist, or it may not be read: without s3:ListBucket on the bucket, S3 does not tell which)';
