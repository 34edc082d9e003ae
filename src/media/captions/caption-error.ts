/** A caption file that is none, or not of the form that it should have. The message may go to the client. */
export class CaptionError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CaptionError';
  }
}
