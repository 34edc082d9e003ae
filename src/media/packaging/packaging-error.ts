/** Why a stream's media cannot be put into another container. */
export type PackagingFault =
  /** A track comes without its codec's configuration. */
  | 'missing-codec-private-data'
  /** It has one that cannot be read. */
  | 'invalid-codec-private-data'
  /** A codec, or a set of tracks, that the container or the players do not take. */
  | 'unsupported-media'
  /** A frame that is not what its codec says. */
  | 'invalid-frame';

/** Media that cannot be packaged. `message` says why, for people; it holds none of the content. */
export class PackagingError extends Error {
  readonly fault: PackagingFault;

  constructor(fault: PackagingFault, message: string) {
    super(message);
    this.name = 'PackagingError';
    this.fault = fault;
  }
}
