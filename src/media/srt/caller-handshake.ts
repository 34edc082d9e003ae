import { randomInt } from 'node:crypto';
import type { SrtSettings } from '../live/flow-spec.ts';
import { FIRST_REJECT, type HandshakePacket, readHandshake, REQUEST, SRT_MAGIC, writeHandshake } from './handshake.ts';
import { KEY_STATE, type KeyMaterial, makeKeyMessage } from './key-message.ts';
import { agreedLatency, FLIGHT_WINDOW, isLive, keyBytesOf, liveHello, LONGEST_IP_PACKET } from './live-settings.ts';
import { timestampAt } from './packet.ts';
import { wordsOfReject } from './reject-codes.ts';
import { makeKeyMaterial } from './sending-keys.ts';

/** libsrt's sign that a caller's first packet is of its family. */
const DATAGRAMS = 2;

/** What came of a packet: nothing, another request that is to be sent now, a connection, or a refusal in words. */
export type HandshakeOutcome =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'continue' }
  | { readonly kind: 'refused'; readonly reason: string }
  | {
      readonly kind: 'connected';
      readonly answer: HandshakePacket;
      /** Milliseconds. */
      readonly receiverLatencyMs: number;
      readonly senderLatencyMs: number;
    };

/** The handshake of a caller. It has no clock and no socket: `now` is in milliseconds. */
export class CallerHandshake {
  readonly socketId = randomInt(1, 2 ** 30);
  readonly initialSequence = randomInt(0, 2 ** 31);
  readonly key: KeyMaterial | undefined;
  readonly #settings: SrtSettings;
  readonly #address: string;
  readonly #startedAt: number;
  #keyMessage: Buffer | undefined;
  #cookie: number | undefined;

  /** @param address the listener's */
  constructor(settings: SrtSettings, address: string, startedAt: number) {
    this.#settings = settings;
    this.#address = address;
    this.#startedAt = startedAt;
    const keyBytes = keyBytesOf(settings);
    this.key = keyBytes === 0 ? undefined : makeKeyMaterial(keyBytes);
  }

  /** What is to be sent now, and again until there is an answer. */
  request(now: number): Buffer {
    const fields = {
      timestamp: timestampAt(now, this.#startedAt),
      destination: 0,
      initialSequence: this.initialSequence,
      longestPacket: LONGEST_IP_PACKET,
      flightWindow: FLIGHT_WINDOW,
      socketId: this.socketId,
    };
    if (this.#cookie === undefined) {
      const induction = { version: 4, keyBytes: 0, flags: DATAGRAMS, request: REQUEST.induction, cookie: 0 };
      return writeHandshake({ ...fields, ...induction }, this.#address);
    }
    const { latencyMs, streamId } = this.#settings;
    const keyBytes = this.key?.keyBytes ?? 0;
    const conclusion = { version: 5, keyBytes, flags: 0, request: REQUEST.conclusion, cookie: this.#cookie };
    return writeHandshake({ ...fields, ...conclusion }, this.#address, {
      isResponse: false,
      hello: liveHello(latencyMs, latencyMs),
      ...(this.#keyMessage && { keyMessage: this.#keyMessage }),
      ...(streamId !== undefined && { streamId }),
    });
  }

  receive(packet: Buffer): HandshakeOutcome {
    const answer = readHandshake(packet);
    if (answer === undefined || answer.destination !== this.socketId) return { kind: 'nothing' };
    const { request } = answer;
    if (request === REQUEST.induction) return this.#induced(answer);
    if (this.#cookie === undefined) return { kind: 'nothing' };
    if (request === REQUEST.conclusion) return this.#concluded(answer);
    if (request >= FIRST_REJECT) return { kind: 'refused', reason: wordsOfReject(request) };
    return { kind: 'nothing' };
  }

  #induced({ version, flags, cookie }: HandshakePacket): HandshakeOutcome {
    if (this.#cookie !== undefined) return { kind: 'nothing' };
    if (version < 5 || flags !== SRT_MAGIC) return { kind: 'refused', reason: 'the peer uses SRT before 1.3.0' };
    this.#cookie = cookie;
    const { encryption } = this.#settings;
    if (this.key !== undefined && encryption !== undefined) {
      this.#keyMessage = makeKeyMessage(this.key, encryption.passphrase);
    }
    return { kind: 'continue' };
  }

  #concluded(answer: HandshakePacket): HandshakeOutcome {
    const { hello } = answer;
    if (answer.version !== 5 || hello === undefined || !isLive(hello)) {
      return { kind: 'refused', reason: 'the peer is not in live mode' };
    }
    const reason = this.#refuseKey(answer.keyMessage);
    if (reason !== undefined) return { kind: 'refused', reason };
    return {
      kind: 'connected',
      answer,
      receiverLatencyMs: agreedLatency(this.#settings.latencyMs, hello.senderLatencyMs),
      senderLatencyMs: agreedLatency(this.#settings.latencyMs, hello.receiverLatencyMs),
    };
  }

  /** A peer that does not enforce encryption accepts, and only says that it could not take the key. */
  #refuseKey(answered: Buffer | undefined): string | undefined {
    if (this.#keyMessage === undefined) {
      return answered === undefined ? undefined : 'the peer has a passphrase, none is given here';
    }
    if (answered === undefined) return 'the peer has no passphrase';
    if (answered.equals(this.#keyMessage)) return undefined;
    const isWrong = answered.length === 4 && answered.readUInt32BE(0) === KEY_STATE.badSecret;
    return isWrong ? 'wrong passphrase' : 'the peer has no passphrase';
  }
}
