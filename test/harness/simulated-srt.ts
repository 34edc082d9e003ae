import { HEADER_BYTES, isControl } from '#media/srt/packet.ts';
import { Outlet } from '#media/srt/outlet.ts';
import { PeerClock } from '#media/srt/peer-clock.ts';
import { SrtReceiver } from '#media/srt/receiver.ts';
import { ReceivingRole, SendingRole } from '#media/srt/roles.ts';
import { RoundTrip } from '#media/srt/round-trip.ts';
import { SrtSender } from '#media/srt/sender.ts';
import { seededRandom } from './lossy-relay.ts';

export interface SimulatedPath {
  readonly seed: number;
  /** Parts of 1, in both directions. */
  readonly loss: number;
  readonly duplicate: number;
  /** Milliseconds one way; each datagram takes up to `jitterMs` more, and so overtakes others. */
  readonly delayMs: number;
  readonly jitterMs: number;
  readonly latencyMs: number;
  readonly initialSequence: number;
  /** When the two clocks' timestamps begin: those of packets wrap around at 2^32 microseconds. */
  readonly clockMs: number;
  /** Packets that the peer lets be on their way. */
  readonly flightWindow?: number;
}

interface Flying {
  readonly at: number;
  readonly packet: Buffer;
  readonly arrive: (packet: Buffer, now: number) => void;
}

const TICK_MS = 5;

/** A sender and a receiver of SRT over a simulated path, with a clock that is moved by hand. */
export class SimulatedSrt {
  readonly received: Buffer[] = [];
  readonly receivedAt: number[] = [];
  readonly sending: SendingRole;
  readonly receiving: ReceivingRole;
  /** Milliseconds. */
  now = 1000;
  /** Datagrams under way are lost from here on when set. */
  isCut = false;
  #flying: Flying[] = [];

  constructor(path: SimulatedPath) {
    const random = seededRandom(path.seed);
    const start = this.now - path.clockMs;
    const way = (arrive: Flying['arrive']) => (packet: Buffer) => {
      const times = random() < path.loss || this.isCut ? 0 : random() < path.duplicate ? 2 : 1;
      for (let time = 0; time < times; time++) {
        const at = this.now + path.delayMs + random() * path.jitterMs;
        this.#flying.push({ at, packet: Buffer.from(packet), arrive });
      }
      return true;
    };
    const { initialSequence, latencyMs, flightWindow = 8192 } = path;
    const toReceiver = way((packet, now) => {
      if (isControl(packet))
        this.receiving.control(packet.readUInt16BE(0) & 0x7fff, packet, packet.subarray(HEADER_BYTES), now);
      else this.receiving.data(packet, now);
    });
    const toSender = way((packet, now) => {
      this.sending.control(packet.readUInt16BE(0) & 0x7fff, packet, packet.subarray(HEADER_BYTES), now);
    });
    const sendersTrip = new RoundTrip();
    const sendersOutlet = new Outlet(toReceiver, 1, start, this.now);
    const sender = new SrtSender({
      initialSequence,
      outlet: sendersOutlet,
      roundTrip: sendersTrip,
      latencyMs,
      flightWindow,
      encrypt: () => 0,
      canEncrypt: () => true,
    });
    this.sending = new SendingRole(sender, sendersTrip, undefined, sendersOutlet);
    const roundTrip = new RoundTrip();
    const clock = new PeerClock((path.clockMs * 1000) % 2 ** 32, this.now + path.delayMs, latencyMs);
    const outlet = new Outlet(toSender, 2, start, this.now);
    const deliver = (payload: Buffer): void => {
      this.received.push(payload);
      this.receivedAt.push(this.now);
    };
    const receiver = new SrtReceiver({ initialSequence, clock, outlet, roundTrip, deliver, decrypt: () => true });
    this.receiving = new ReceivingRole(receiver, roundTrip, clock, undefined, outlet);
  }

  /** Lets `ms` pass. */
  run(ms: number): void {
    const end = this.now + ms;
    while (this.now < end) {
      this.now = Math.min(end, Math.floor(this.now) + 1);
      const arrived = this.#flying.filter(({ at }) => at <= this.now).toSorted((one, other) => one.at - other.at);
      this.#flying = this.#flying.filter(({ at }) => at > this.now);
      for (const { packet, arrive } of arrived) arrive(packet, this.now);
      if (this.now % TICK_MS === 0) {
        this.sending.tick(this.now);
        this.receiving.tick(this.now);
      }
    }
  }
}
