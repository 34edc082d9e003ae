/** A source of media that cannot be read, or not be sent as it is; the message is for the person who named it. */
export class SourceError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SourceError';
  }
}
