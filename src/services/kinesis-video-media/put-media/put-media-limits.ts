/** How long a connection of PutMedia may take, in milliseconds (developer guide, "Kinesis Video Streams quotas"). */
export interface PutMediaLimits {
  readonly connectionMs: number;
  /** Without a byte from the producer the connection ends after so long. */
  readonly idleMs: number;
  /** How often a silent producer is told that nothing comes. */
  readonly idleAckMs: number;
  /**
   * A fragment that can only be followed by tags is taken as it is after so long: the next one may not come for seconds,
   * and consumers wait.
   */
  readonly quietMs: number;
  /** Bytes of fragments on their way into the archive before the producer has to wait. */
  readonly inFlightBytes: number;
}

export const PUT_MEDIA_LIMITS: PutMediaLimits = {
  connectionMs: 45 * 60_000,
  idleMs: 30_000,
  idleAckMs: 5000,
  quietMs: 50,
  inFlightBytes: 32 * 1024 * 1024,
};
