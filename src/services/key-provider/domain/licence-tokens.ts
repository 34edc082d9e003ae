import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { DecryptionError } from '#crypto/decryption-error.ts';
import type { RootKey } from '#crypto/root-key.ts';
import type { Caller } from '#kernel/caller.ts';
import type { Clock } from '#kernel/clock.ts';
import type { Region } from '#kernel/ids.ts';
import { tokenRefused } from '../errors.ts';

const SEAL_CONTEXT = 'key-provider/licence-token/1';
const MAX_TOKEN_LENGTH = 32_768;
const MAX_TICKET_LENGTH = 262_144;
const TOKEN = /^[A-Za-z0-9_-]+$/;

/** What a token stands for; nothing of it is stored. */
export interface LicenceTicket {
  /** Who asked for the token: what is played is played in their name, as long as they may. */
  readonly caller: Caller;
  readonly region: Region;
  readonly contentId: string;
  /** The keys that it is for; absent for all of the content. */
  readonly kids?: readonly string[];
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** Makes and reads the tokens that players bear. Only this installation can read or make one. */
export class LicenceTokens {
  readonly #rootKey: RootKey;
  readonly #clock: Clock;

  constructor(rootKey: RootKey, clock: Clock) {
    this.#rootKey = rootKey;
    this.#clock = clock;
  }

  /** With characters that need no escape in an address. */
  write(ticket: LicenceTicket): string {
    return this.#rootKey.sealToken(deflateRawSync(JSON.stringify(ticket)), SEAL_CONTEXT).toString('base64url');
  }

  /**
   * INVARIANT: a ticket comes from a token of ours that holds still, for that content, or not at all.
   *
   * @throws ServiceError ForbiddenException
   */
  read(token: string | undefined, contentId: string): LicenceTicket {
    const ticket = this.#open(token);
    if (ticket.expiresAt <= this.#clock.now()) throw tokenRefused('The licence token is expired.');
    if (ticket.contentId !== contentId) throw tokenRefused('The licence token is for another content.');
    return ticket;
  }

  #open(token: string | undefined): LicenceTicket {
    const invalid = () => tokenRefused('The licence token is invalid.');
    if (token === undefined || token.length > MAX_TOKEN_LENGTH || !TOKEN.test(token)) throw invalid();
    const sealed = Buffer.from(token, 'base64url');
    // Of the texts that stand for the same bytes, one is a token.
    if (sealed.toString('base64url') !== token) throw invalid();
    try {
      const packed = this.#rootKey.openToken(sealed, SEAL_CONTEXT);
      return JSON.parse(inflateRawSync(packed, { maxOutputLength: MAX_TICKET_LENGTH }).toString()) as LicenceTicket;
    } catch (error) {
      if (error instanceof DecryptionError) throw invalid();
      throw error;
    }
  }
}
