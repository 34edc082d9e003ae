import { deflateSync, inflateSync } from 'node:zlib';
import type { RootKey } from '#crypto/root-key.ts';
import type { SessionFacts } from '#kernel/caller.ts';

const CONTEXT = 'iam/session-token';
/** The first byte of what zlib packs. Tokens of earlier versions are plain JSON, which begins otherwise. */
const PACKED = 0x78;

/** Whose session it is: the account's root user, a user or a role, by unique id. */
export type SessionOwner =
  | { readonly type: 'root' }
  | { readonly type: 'user'; readonly userId: string }
  | { readonly type: 'assumed-role'; readonly roleId: string; readonly sessionName: string }
  /** Without a user: the root user made it. */
  | { readonly type: 'federated-user'; readonly userId?: string; readonly name: string };

/** What a session token carries, sealed: nothing of it is kept on the platform. */
export interface SessionClaims {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly account: string;
  /** Of the account, in a session that the root user made: its id may be given again after it was deleted, this never is. */
  readonly canonicalId?: string;
  readonly owner: SessionOwner;
  readonly facts: SessionFacts;
}

/** The session tokens of temporary credentials. */
export class SessionTokens {
  readonly #rootKey: RootKey;

  constructor(rootKey: RootKey) {
    this.#rootKey = rootKey;
  }

  seal(claims: SessionClaims): string {
    // Packed: policies and tags are long, and a header has not that much room.
    return this.#rootKey.sealToken(deflateSync(JSON.stringify(claims)), CONTEXT).toString('base64');
  }

  /** `undefined` for anything but a token that was made here. */
  open(token: string): SessionClaims | undefined {
    let text: Buffer;
    try {
      text = this.#rootKey.openToken(Buffer.from(token, 'base64'), CONTEXT);
    } catch {
      return undefined;
    }
    // INVARIANT: the seal was made here, so that the form needs no further check.
    const claims = text[0] === PACKED ? inflateSync(text) : text;
    return JSON.parse(claims.toString()) as SessionClaims;
  }
}
