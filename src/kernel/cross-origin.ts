/** A request of a page that may be of another origin, as browsers mark them (the Fetch standard, "CORS protocol"). */
export interface CrossOriginRequest {
  readonly bucket: string;
  /** Whether the path names something within it. */
  readonly isObject: boolean;
  readonly method: string;
  /** `Origin`. */
  readonly origin: string | undefined;
  /** `Access-Control-Request-Method`. */
  readonly requestedMethod: string | undefined;
  /** `Access-Control-Request-Headers`. */
  readonly requestedHeaders: string | undefined;
}

/** What a service says to browsers about pages of other origins. It opens nothing: each request is authorised as any. */
export interface CrossOrigin {
  /**
   * Answers what a browser asks before the request itself.
   *
   * @returns the answer's headers
   * @throws ServiceError where the page may not
   */
  preflight(request: CrossOriginRequest): Promise<Readonly<Record<string, string>>>;
  /** The headers of an answer or error that the page may read; none where it may not. */
  headersFor(request: CrossOriginRequest): Promise<Readonly<Record<string, string>>>;
}
