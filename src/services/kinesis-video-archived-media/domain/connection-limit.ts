import { clientLimitExceeded } from '../errors.ts';

/** Counts the connections that read from each stream at once. */
export class ConnectionLimit {
  readonly #limit: number;
  readonly #open = new Map<string, number>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * @returns to be called when the connection has ended
   * @throws ServiceError ClientLimitExceededException
   */
  enter(streamId: string): () => void {
    const open = this.#open.get(streamId) ?? 0;
    if (open >= this.#limit) {
      throw clientLimitExceeded(`More than ${this.#limit} connections read fragments of the stream at once.`);
    }
    this.#open.set(streamId, open + 1);
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      const left = (this.#open.get(streamId) ?? 1) - 1;
      if (left > 0) this.#open.set(streamId, left);
      else this.#open.delete(streamId);
    };
  }
}
