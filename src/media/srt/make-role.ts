import type { SrtEncryption } from '../live/flow-spec.ts';
import type { KeyMaterial } from './key-message.ts';
import { Outlet, type Transmit } from './outlet.ts';
import { PeerClock } from './peer-clock.ts';
import { SrtReceiver } from './receiver.ts';
import { ReceivingKeys } from './receiving-keys.ts';
import { ReceivingRole, SendingRole } from './roles.ts';
import { RoundTrip } from './round-trip.ts';
import { SrtSender } from './sender.ts';
import { type KeyRefresh, SendingKeys } from './sending-keys.ts';

/** What a handshake came to. Times in milliseconds. */
export interface ConnectionFacts {
  readonly transmit: Transmit;
  /** The peer's socket id. */
  readonly destination: number;
  /** When this side's clock is 0. */
  readonly startedAt: number;
  readonly now: number;
  /** Of the packet that made the connection. */
  readonly timestamp: number;
  /** Of the first packet that each side sends. */
  readonly ownSequence: number;
  readonly peerSequence: number;
  readonly receiverLatencyMs: number;
  readonly senderLatencyMs: number;
  readonly flightWindow: number;
  readonly encryption: SrtEncryption | undefined;
  readonly key: KeyMaterial | undefined;
  /** Whether this side made the key: a key of the peer's is not used to send. */
  readonly isOwnKey: boolean;
}

export interface Opened<Role> {
  readonly role: Role;
  readonly outlet: Outlet;
}

export function openReceiving(facts: ConnectionFacts, deliver: (payload: Buffer) => void): Opened<ReceivingRole> {
  const { now, encryption, key, peerSequence: initialSequence } = facts;
  const outlet = new Outlet(facts.transmit, facts.destination, facts.startedAt, now);
  const roundTrip = new RoundTrip();
  const keys = encryption && key && new ReceivingKeys(encryption.passphrase, key);
  const clock = new PeerClock(facts.timestamp, now, facts.receiverLatencyMs);
  const decrypt: ReceivingKeys['decrypt'] = keys === undefined ? (bits) => bits === 0 : keys.decrypt.bind(keys);
  const receiver = new SrtReceiver({ initialSequence, clock, outlet, roundTrip, deliver, decrypt });
  return { role: new ReceivingRole(receiver, roundTrip, clock, keys, outlet), outlet };
}

export function openSending(facts: ConnectionFacts, refresh: KeyRefresh): Opened<SendingRole> {
  const { now, encryption, key, ownSequence: initialSequence, flightWindow } = facts;
  const outlet = new Outlet(facts.transmit, facts.destination, facts.startedAt, now);
  const roundTrip = new RoundTrip();
  const material = key && (facts.isOwnKey ? key : { keyBytes: key.keyBytes, salt: key.salt });
  const keys = encryption && material && new SendingKeys(encryption.passphrase, material, refresh);
  const sender = new SrtSender({
    initialSequence,
    outlet,
    roundTrip,
    latencyMs: facts.senderLatencyMs,
    flightWindow,
    encrypt: keys === undefined ? () => 0 : keys.encrypt.bind(keys),
    canEncrypt: () => keys === undefined || keys.isReady,
  });
  return { role: new SendingRole(sender, roundTrip, keys, outlet), outlet };
}
