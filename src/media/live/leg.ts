/**
 * A leg is one connection of a flow to the world: a source or an output. Legs move datagrams and know nothing of
 * transport streams; the flow between them does.
 */
interface Leg<Statistics> {
  /**
   * Binds the leg's sockets. A caller begins to dial, and goes on for as long as the leg is open.
   *
   * @throws LegError when a port is taken or an address is not this machine's
   */
  open(): Promise<void>;
  /** Ends all connections (an SRT peer is told) and frees the ports. */
  close(): Promise<void>;
  /** The port that is bound; `undefined` for legs that dial. */
  readonly port: number | undefined;
  /** A snapshot; counters run from the leg's opening. */
  statistics(): Statistics;
}

export type SourceLeg = Leg<SourceStatistics>;

export interface OutputLeg extends Leg<OutputStatistics> {
  /**
   * Sends one datagram's payload, as far as there is a taker. Never waits: what cannot be sent or kept is dropped and
   * counted.
   *
   * @param payload up to 1316 bytes, seldom other than 7 transport stream packets. It may be sent by other legs too:
   *   not to be changed, and free to be kept.
   */
  send(payload: Buffer): void;
}

/** Takes what a source receives: in order where the transport has one, once, as late as its latency says. */
export interface PacketSink {
  /**
   * @param payload of one datagram, without the transport's headers. The sink may keep it; nobody changes it after.
   * @param sequence the RTP sequence number (16 bits), of the RTP family
   */
  packet(payload: Buffer, sequence?: number): void;
}

/** What a leg tells beside its counters. */
export type LegEvent =
  | { readonly kind: 'connected'; readonly peer: string }
  | { readonly kind: 'disconnected'; readonly peer: string; readonly reason: string }
  /** A peer was turned away; the reason says why, and never contains a secret. */
  | { readonly kind: 'refused'; readonly peer: string; readonly reason: string };

export type LegEventListener = (event: LegEvent) => void;

/** Counters in packets (datagrams) unless they say otherwise. */
export interface SourceStatistics {
  /** Payload bytes and packets that the sink got. */
  readonly bytes: number;
  readonly packets: number;
  /** Packets that were missing, and came in time after all: resent, or made from FEC. */
  readonly recovered: number;
  /** Packets that never came in time. */
  readonly lost: number;
  /** Packets that came and were of no use: too late, twice, malformed. */
  readonly dropped: number;
  /** Packets for which a buffer had no room. */
  readonly overflow: number;
  /** Packets that were asked for again, and those of them that came. */
  readonly arqRequests: number;
  readonly arqRecovered: number;
  /** FEC packets that came, and media packets made from them. */
  readonly fecPackets: number;
  readonly fecRecovered: number;
  /** Datagrams from addresses that are not allowed. */
  readonly refused: number;
  /** Milliseconds; `undefined` where the transport does not measure it. */
  readonly roundTripMs: number | undefined;
  /** Milliseconds, smoothed (RFC 3550); `undefined` where the transport has no clock. */
  readonly jitterMs: number | undefined;
  /** Whether a peer is connected; of transports without connections, whether something came in the last second. */
  readonly isConnected: boolean;
  readonly disconnections: number;
  /** `address:port` of the present or last peer. */
  readonly peer: string | undefined;
  /** For SRT: bytes of the key that the peer uses, and 0 for none. */
  readonly keyBytes?: number;
}

export interface OutputStatistics {
  /** Payload bytes and packets sent for the first time. */
  readonly bytes: number;
  readonly packets: number;
  /** Packets that were not sent, or given up: no room, too late, no taker. */
  readonly dropped: number;
  readonly retransmitted: number;
  readonly fecPackets: number;
  readonly refused: number;
  readonly roundTripMs: number | undefined;
  /** Whether a taker is connected; true of transports without connections. */
  readonly isConnected: boolean;
  readonly disconnections: number;
  readonly peer: string | undefined;
  readonly keyBytes?: number;
}
