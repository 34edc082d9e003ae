/** The root key cannot be used as things are. The message is for the operator: it names files, never secrets. */
export class RootKeyError extends Error {
  constructor(message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'RootKeyError';
  }
}
