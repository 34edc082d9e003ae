import type { RootKey } from '#crypto/root-key.ts';
import type { AccessEvaluation } from '#kernel/access-evaluation.ts';
import { decisionDocument } from './domain/decision-document.ts';

// Frozen wire constant: messages that were handed out depend on it.
const CONTEXT = 'sts/authorization-message/1/';
/** A message's length says no more of what is in it than this. */
const PADDED_TO = 512;

/**
 * The encoded authorization messages of refusals: sealed under the root key, bound to the account of whoever was refused,
 * and kept nowhere. Who was refused cannot read them without `sts:DecodeAuthorizationMessage`.
 */
export class AuthorizationMessages {
  readonly #rootKey: RootKey;

  constructor(rootKey: RootKey) {
    this.#rootKey = rootKey;
  }

  /** @returns `undefined` for callers without an account */
  seal(evaluation: AccessEvaluation): string | undefined {
    const { account } = evaluation.principal;
    if (account === undefined) return undefined;
    const text = Buffer.from(decisionDocument(evaluation));
    // Spaces behind JSON mean nothing.
    const padded = Buffer.alloc(Math.ceil(text.length / PADDED_TO) * PADDED_TO, ' ');
    text.copy(padded);
    return this.#rootKey.sealToken(padded, CONTEXT + account).toString('base64url');
  }

  /** @returns JSON; `undefined` for anything but a message that was made here for this account */
  open(message: string, account: string): string | undefined {
    if (!/^[A-Za-z0-9_-]+$/.test(message)) return undefined;
    try {
      return this.#rootKey
        .openToken(Buffer.from(message, 'base64url'), CONTEXT + account)
        .toString('utf8')
        .trimEnd();
    } catch {
      return undefined;
    }
  }
}
