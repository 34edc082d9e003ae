export type LegErrorCode = 'port-in-use' | 'address-not-available' | 'not-permitted' | 'unusable';

/** A leg could not be opened. The message is for the operator and says which address and port. */
export class LegError extends Error {
  readonly code: LegErrorCode;

  constructor(code: LegErrorCode, message: string) {
    super(message);
    this.name = 'LegError';
    this.code = code;
  }
}
