/**
 * The one error that reaches a client. Every service's `errors.ts` makes these; only the gateway writes them to the
 * wire, in the form of the protocol that the request came by.
 */
export class ServiceError extends Error {
  /** The error code as it stands on the wire, such as `NoSuchKey` or `ValidationException`. */
  readonly code: string;
  /** The HTTP status. */
  readonly status: number;
  /** Further members of the modelled error shape (S3's `Key`, `BucketName`; KMS's none). */
  readonly members: Readonly<Record<string, unknown>>;
  /** Extra response headers, such as `Allow` or `Content-Range`. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: string,
    status: number,
    message: string,
    extras: {
      readonly members?: Readonly<Record<string, unknown>>;
      readonly headers?: Readonly<Record<string, string>>;
      /** Kept for the log, never sent. */
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, extras.cause === undefined ? undefined : { cause: extras.cause });
    this.name = 'ServiceError';
    this.code = code;
    this.status = status;
    this.members = extras.members ?? {};
    this.headers = extras.headers ?? {};
  }

  /** True when the client is at fault (status below 500). */
  get isClientFault(): boolean {
    return this.status < 500;
  }
}
