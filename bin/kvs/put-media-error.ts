/** PutMedia was refused, or broke off; the message is for the operator. */
export class PutMediaError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'PutMediaError';
  }
}
