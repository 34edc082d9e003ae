/**
 * What a refusing answer's request type says: libsrt's `SRT_REJECT_REASON` and the predefined reasons of its access
 * control, each with 1000 added.
 */
export const REJECT = {
  rogue: 1004,
  version: 1008,
  badSecret: 1010,
  unsecure: 1011,
  messageApi: 1012,
  congestion: 1013,
  filter: 1014,
  group: 1015,
  crypto: 1017,
  overload: 2402,
  forbidden: 2403,
  conflict: 2409,
} as const;

const WORDS: Readonly<Record<number, string>> = {
  1001: 'the peer had a system error',
  1002: 'refused by the peer',
  1003: 'the peer has no resources left',
  1004: 'the peer found the handshake wrong',
  1005: "the peer's queue is full",
  1006: 'the peer had an internal error',
  1007: 'the peer is closing',
  1008: 'the peer wants another version of SRT',
  1010: 'wrong passphrase',
  1011: 'one side has a passphrase, the other none',
  1012: 'the peer is not in live mode',
  1013: 'the peer wants another congestion control',
  1014: 'the peer wants another packet filter',
  1015: 'the peer wants a group',
  1016: 'the peer timed out',
  1017: 'the peer wants another encryption',
  2400: 'the peer found the stream id wrong',
  2401: 'the peer wants other credentials',
  2402: 'the peer is overloaded',
  2403: 'forbidden by the peer',
  2404: 'the peer does not have the stream',
  2405: 'the peer does not take this mode',
  2409: 'the peer has a sender already',
  2423: 'the stream is locked at the peer',
};

/** @param code the request type of a refusing answer */
export function wordsOfReject(code: number): string {
  return WORDS[code] ?? `refused by the peer with the code ${code - 1000}`;
}
