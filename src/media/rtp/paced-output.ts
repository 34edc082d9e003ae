import type { DialAddress } from '../live/flow-spec.ts';
import type { LegEventListener, OutputLeg, OutputStatistics } from '../live/leg.ts';
import { DialedPorts } from './dialed-ports.ts';
import { Pacer } from './pacer.ts';

const MEDIA = 0;

/** Sends each payload in a datagram to one taker, bursts spread over time. A protocol says what stands around a payload. */
export abstract class PacedOutput implements OutputLeg {
  readonly port = undefined;
  readonly #ports: DialedPorts;
  readonly #pacer: Pacer;
  #bytes = 0;
  #packets = 0;
  #fecPackets = 0;

  /** @param fecOffsets from the taker's port to those of the FEC */
  constructor(
    transport: DialAddress & { readonly smoothingMs: number },
    onEvent: LegEventListener,
    fecOffsets: readonly number[] = [],
  ) {
    this.#ports = new DialedPorts({ to: transport, offsets: [0, ...fecOffsets], onEvent });
    this.#pacer = new Pacer(transport.smoothingMs, (payload, now) => {
      const datagram = this.wrap(payload, now);
      if (this.#ports.send(MEDIA, datagram)) {
        this.#bytes += payload.length;
        this.#packets++;
      }
      this.follow(datagram);
    });
  }

  open(): Promise<void> {
    return this.#ports.open();
  }

  close(): Promise<void> {
    this.#pacer.stop();
    return this.#ports.close();
  }

  send(payload: Buffer): void {
    this.#pacer.add(payload);
  }

  statistics(): OutputStatistics {
    return {
      bytes: this.#bytes,
      packets: this.#packets,
      dropped: this.#ports.dropped,
      retransmitted: 0,
      fecPackets: this.#fecPackets,
      roundTripMs: undefined,
      ...this.#ports.statistics(),
    };
  }

  /** @returns the datagram that carries the payload */
  protected abstract wrap(payload: Buffer, now: number): Buffer;

  /** Called with each datagram of the media once it was given to the system, which may have had no room. */
  protected follow(_datagram: Buffer): void {}

  /** @param index of the port among `fecOffsets` */
  protected sendFec(index: number, datagram: Buffer): void {
    if (this.#ports.send(MEDIA + 1 + index, datagram)) this.#fecPackets++;
  }
}
