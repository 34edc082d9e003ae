/** A document that is not one of SPEKE's; the message, which has no values of keys in it, is for the other side. */
export class CpixError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CpixError';
  }
}
