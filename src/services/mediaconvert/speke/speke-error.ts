import { ERROR_CODES, TranscodeError } from '#media/transcode-error.ts';

/** What went wrong between MediaConvert and a key provider; never with a key in it. */
export function spekeError(url: string, cause: string): TranscodeError {
  const address = URL.canParse(url) ? new URL(url) : undefined;
  const name = address === undefined ? '' : ` [${address.origin}${address.pathname}]`;
  return new TranscodeError(
    ERROR_CODES.encryptionFailed,
    `Unable to get content keys from the key provider${name}: ${cause}`,
  );
}
