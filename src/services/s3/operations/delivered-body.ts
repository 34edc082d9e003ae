import { Readable } from 'node:stream';
import type { Call } from '#kernel/operation.ts';
import type { S3Transaction } from '../store.ts';
import { emptyBody } from './empty-body.ts';

/** The body of an object that the service writes itself, through the door: nothing from a socket is one. */
export class DeliveredBody {
  readonly bytes: Buffer;
  /** Further changes of the transaction that makes the object. */
  readonly also: (transaction: S3Transaction) => Promise<void>;

  constructor(bytes: Buffer, also: (transaction: S3Transaction) => Promise<void>) {
    this.bytes = bytes;
    this.also = also;
  }
}

/** What is to be written, and what goes with it in the same transaction. */
export function bodyOf(
  call: Call,
  body: unknown,
): { readonly source: AsyncIterable<Uint8Array>; readonly also?: (transaction: S3Transaction) => Promise<void> } {
  if (body instanceof DeliveredBody) return { source: Readable.from([body.bytes]), also: body.also };
  return { source: call.body ?? emptyBody() };
}
