import type { ConnectionRole } from './connection.ts';
import { KEY_STATE } from './key-message.ts';
import type { Outlet } from './outlet.ts';
import { CONTROL, EXTENSION, subtypeOf } from './packet.ts';
import type { PeerClock } from './peer-clock.ts';
import type { SrtReceiver } from './receiver.ts';
import type { ReceivingKeys } from './receiving-keys.ts';
import type { RoundTrip } from './round-trip.ts';
import type { SrtSender } from './sender.ts';
import type { SendingKeys } from './sending-keys.ts';

/** A connection that receives. */
export class ReceivingRole implements ConnectionRole {
  readonly receiver: SrtReceiver;
  readonly roundTrip: RoundTrip;
  readonly clock: PeerClock;
  readonly keys: ReceivingKeys | undefined;
  readonly #outlet: Outlet;

  constructor(
    receiver: SrtReceiver,
    roundTrip: RoundTrip,
    clock: PeerClock,
    keys: ReceivingKeys | undefined,
    outlet: Outlet,
  ) {
    this.receiver = receiver;
    this.roundTrip = roundTrip;
    this.clock = clock;
    this.keys = keys;
    this.#outlet = outlet;
  }

  data(packet: Buffer, now: number): void {
    this.receiver.data(packet, now);
  }

  control(type: number, packet: Buffer, body: Buffer, now: number): void {
    if (type === CONTROL.acknowledged) this.receiver.acknowledged(packet, now);
    else if (type === CONTROL.drop) this.receiver.drop(body);
    else if (type === CONTROL.extension && subtypeOf(packet) === EXTENSION.keyRequest) this.#key(body, now);
  }

  tick(now: number): void {
    this.receiver.tick(now);
  }

  failure(): string | undefined {
    return this.receiver.hasLostTrack ? 'the sequence numbers of the peer jumped' : undefined;
  }

  #key(message: Buffer, now: number): void {
    const isTaken = this.keys?.accept(message, now) === true;
    this.#outlet.keyMessage(EXTENSION.keyResponse, isTaken ? message : refusal(this.keys), now);
  }
}

/** A connection that sends. What comes in as data is not looked at. */
export class SendingRole implements ConnectionRole {
  readonly sender: SrtSender;
  readonly roundTrip: RoundTrip;
  readonly keys: SendingKeys | undefined;
  readonly #outlet: Outlet;

  constructor(sender: SrtSender, roundTrip: RoundTrip, keys: SendingKeys | undefined, outlet: Outlet) {
    this.sender = sender;
    this.roundTrip = roundTrip;
    this.keys = keys;
    this.#outlet = outlet;
  }

  data(): void {
    // A taker has nothing to give.
  }

  control(type: number, packet: Buffer, body: Buffer, now: number): void {
    if (type === CONTROL.acknowledgement) this.sender.acknowledgement(packet, body, now);
    else if (type === CONTROL.loss) this.sender.losses(body, now);
    else if (type === CONTROL.extension && subtypeOf(packet) === EXTENSION.keyResponse) {
      this.keys?.answer(body);
      this.sender.flush(now);
    }
  }

  tick(now: number): void {
    const message = this.keys?.tick(now, Math.max(this.roundTrip.patience, 50));
    if (message !== undefined) this.#outlet.keyMessage(EXTENSION.keyRequest, message, now);
    this.sender.tick(now);
  }

  failure(now: number): string | undefined {
    return this.keys?.hasFailed(now) === true ? 'the peer does not take a new key' : undefined;
  }
}

function refusal(keys: ReceivingKeys | undefined): Buffer {
  const state = Buffer.alloc(4);
  state.writeUInt32BE(keys === undefined ? KEY_STATE.noSecret : KEY_STATE.badSecret);
  return state;
}
