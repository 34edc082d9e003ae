import type { SrtSettings } from '../live/flow-spec.ts';
import type { HandshakePacket } from './handshake.ts';
import { type KeyMaterial, openKeyMessage, readKeyMessageHead } from './key-message.ts';
import { agreedLatency, isLive, OLDEST_VERSION } from './live-settings.ts';
import { REJECT } from './reject-codes.ts';

export interface Refusal {
  /** One of {@link REJECT}. */
  readonly code: number;
  /** Without secrets, and without the words of the peer. */
  readonly reason: string;
}

/** What a listener and its caller agreed on. */
export interface Agreement {
  readonly refusal?: undefined;
  /** Milliseconds, of each direction. */
  readonly receiverLatencyMs: number;
  readonly senderLatencyMs: number;
  readonly key: KeyMaterial | undefined;
}

/** Decides, as a listener, on a caller whose cookie is right. */
export function answerConclusion(
  asked: HandshakePacket,
  settings: SrtSettings,
): Agreement | { readonly refusal: Refusal } {
  const refusal = refuseMode(asked) ?? refuseStream(asked, settings);
  if (refusal !== undefined) return { refusal };
  const key = agreeOnKey(asked.keyMessage, settings);
  if (key.refusal !== undefined) return { refusal: key.refusal };
  const { hello } = asked;
  return {
    receiverLatencyMs: agreedLatency(settings.latencyMs, hello?.senderLatencyMs ?? 0),
    senderLatencyMs: agreedLatency(settings.latencyMs, hello?.receiverLatencyMs ?? 0),
    key: key.material,
  };
}

function refuseMode({ version, hello, congestion, filter, hasGroup }: HandshakePacket): Refusal | undefined {
  if (version !== 5 || hello === undefined || hello.version < OLDEST_VERSION) {
    return { code: REJECT.version, reason: 'uses SRT before 1.3.0' };
  }
  if (!isLive(hello)) return { code: REJECT.messageApi, reason: 'is not in live mode' };
  if (congestion !== undefined && congestion !== 'live') {
    return { code: REJECT.congestion, reason: 'is not in live mode' };
  }
  if (filter !== undefined) return { code: REJECT.filter, reason: 'uses a packet filter (FEC)' };
  if (hasGroup === true) return { code: REJECT.group, reason: 'belongs to a group' };
  return undefined;
}

function refuseStream({ streamId = '' }: HandshakePacket, settings: SrtSettings): Refusal | undefined {
  if (settings.streamId === undefined || settings.streamId === '' || settings.streamId === streamId) return undefined;
  return { code: REJECT.forbidden, reason: 'another stream id' };
}

function agreeOnKey(
  message: Buffer | undefined,
  { encryption }: SrtSettings,
): { readonly material?: KeyMaterial; readonly refusal?: Refusal } {
  if (encryption === undefined) {
    if (message === undefined) return {};
    return { refusal: { code: REJECT.unsecure, reason: 'a passphrase given, none is expected' } };
  }
  if (message === undefined) {
    return { refusal: { code: REJECT.unsecure, reason: 'no passphrase given, one is required' } };
  }
  const head = readKeyMessageHead(message);
  if (head.problem === 'malformed') return { refusal: { code: REJECT.rogue, reason: 'its key message is malformed' } };
  if (head.problem !== undefined)
    return { refusal: { code: REJECT.crypto, reason: 'uses a cipher other than AES-CTR' } };
  const wanted = encryption.keyBytes;
  if (wanted !== undefined && head.keyBytes !== wanted) {
    const reason = `uses a ${head.keyBytes}-byte key, aes${wanted * 8} needs ${wanted}`;
    return { refusal: { code: REJECT.crypto, reason } };
  }
  const material = openKeyMessage(message, encryption.passphrase);
  if (material === undefined) return { refusal: { code: REJECT.badSecret, reason: 'wrong passphrase' } };
  if (material.even === undefined && material.odd === undefined) {
    return { refusal: { code: REJECT.rogue, reason: 'its key message is malformed' } };
  }
  return { material };
}
