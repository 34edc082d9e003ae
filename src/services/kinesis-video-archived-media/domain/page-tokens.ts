import { DecryptionError } from '#crypto/decryption-error.ts';
import type { RootKey } from '#crypto/root-key.ts';
import { invalidArgument } from '../errors.ts';

/**
 * Says where a listing goes on, in a text that only this installation can read or make. It holds for one operation on
 * one stream: whether the caller may go on is asked on every page.
 */
export class PageTokens<State> {
  readonly #rootKey: RootKey;
  readonly #operation: string;

  constructor(rootKey: RootKey, operation: string) {
    this.#rootKey = rootKey;
    this.#operation = operation;
  }

  /** @returns Base64, as the API's model wants tokens to be */
  write(streamId: string, state: State): string {
    return this.#rootKey.sealToken(Buffer.from(JSON.stringify(state)), this.#contextOf(streamId)).toString('base64');
  }

  /** @throws ServiceError InvalidArgumentException for every text but one that `write` made for the stream */
  read(streamId: string, token: string): State {
    try {
      const text = this.#rootKey.openToken(Buffer.from(token, 'base64'), this.#contextOf(streamId)).toString();
      return JSON.parse(text) as State;
    } catch (error) {
      if (!(error instanceof DecryptionError)) throw error;
      throw invalidArgument('NextToken is not a token of this operation on this stream.');
    }
  }

  #contextOf(streamId: string): string {
    return `kinesis-video-archived-media/page/${this.#operation}/${streamId}`;
  }
}
