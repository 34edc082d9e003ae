/**
 * What a live flow is to do, as plain data that crosses a process boundary over a pipe: it holds keys, and is never
 * written down or logged.
 */
export interface FlowSpec {
  /** The flow's ARN. */
  readonly id: string;
  /** One, or two with `failover`. */
  readonly sources: readonly SourceSpec[];
  readonly failover?: FailoverSpec;
  readonly outputs: readonly OutputSpec[];
  /** Keeps the last key frame in memory, so that a thumbnail can be made of it. */
  readonly keepsKeyFrame: boolean;
}

/** How two sources become one stream. */
export type FailoverSpec =
  | {
      readonly mode: 'failover';
      /** The id of the source that is taken whenever it is there; without it the two are equal. */
      readonly primary?: string;
    }
  | {
      /** SMPTE ST 2022-7: packets of two identical RTP streams, by their sequence numbers. */
      readonly mode: 'merge';
      /** Milliseconds for which a packet that one source lost may come by the other: the delay that is added. */
      readonly windowMs: number;
    };

export interface SourceSpec {
  /** The source's ARN. */
  readonly id: string;
  readonly name: string;
  readonly transport: SourceTransport;
  /** Bits a second; what comes above it is dropped and counted. */
  readonly maxBitrate?: number;
}

export interface OutputSpec {
  /** The output's (or entitlement's) ARN. */
  readonly id: string;
  readonly name: string;
  readonly transport: OutputTransport;
}

/** Where a source or a listening output waits for datagrams. */
export interface ListenAddress {
  /** An IP address of this machine. */
  readonly address: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** CIDR blocks from which datagrams are taken. Those of others are dropped unread. INVARIANT: empty means nobody. */
  readonly allowed: readonly string[];
}

export interface DialAddress {
  /** An IP address or a host name. */
  readonly host: string;
  readonly port: number;
}

export interface SrtSettings {
  /** Milliseconds; the connection uses the larger of the two sides' wishes. */
  readonly latencyMs: number;
  /** Sent by callers. A listener that has one refuses callers that send another. */
  readonly streamId?: string;
  readonly encryption?: SrtEncryption;
}

/** INVARIANT: with it nothing passes in the clear, and peers without the passphrase are refused. */
export interface SrtEncryption {
  /** 10 to 80 bytes of UTF-8. */
  readonly passphrase: string;
  /** Peers must use a key of just this length. Without it 16 are used, and any length is taken of a peer. */
  readonly keyBytes?: 16 | 24 | 32;
}

export type SourceTransport =
  | ({ readonly protocol: 'udp' | 'rtp' | 'rtp-fec' } & ListenAddress)
  | ({
      readonly protocol: 'rist' /** How long a lost packet is waited for. */;
      readonly latencyMs: number;
    } & ListenAddress)
  | ({ readonly protocol: 'srt-listener' } & ListenAddress & SrtSettings)
  | ({ readonly protocol: 'srt-caller' } & DialAddress & SrtSettings);

export type OutputTransport =
  | ({
      readonly protocol: 'udp' | 'rtp' | 'rtp-fec';
      /** Milliseconds over which bursts are spread; 0 sends at once. */
      readonly smoothingMs: number;
    } & DialAddress)
  | ({
      readonly protocol: 'rist';
      readonly smoothingMs: number;
      /** How long sent packets are kept for those that ask again. */
      readonly latencyMs: number;
    } & DialAddress)
  | ({ readonly protocol: 'srt-listener' } & ListenAddress & SrtSettings)
  | ({ readonly protocol: 'srt-caller' } & DialAddress & SrtSettings);
