import { accountOf, type Caller } from '#kernel/caller.ts';
import type { AccountId, Region } from '#kernel/ids.ts';
import type { AccessRequest } from '#kernel/operation.ts';
import { accessDenied, invalidArgument, streamNotFound } from './errors.ts';
import { parseStreamArn, recordOf, type StreamAddress, streamArn, type StreamRecord } from './domain/stream-record.ts';
import type { StreamStore } from './store.ts';

/** How every operation on a stream names it: by one of the two, or by both if they mean the same stream. */
export interface StreamTarget {
  readonly StreamName?: string | undefined;
  readonly StreamARN?: string | undefined;
}

/** In whose account and in which region a name stands. A `Call` has it. */
export interface StreamScope {
  readonly caller: Caller;
  readonly region: Region;
}

/** Finds the streams that requests name. */
export class Streams {
  readonly #store: StreamStore;
  readonly #deletionListeners = new Set<(stream: StreamRecord) => void>();

  constructor(store: StreamStore) {
    this.#store = store;
  }

  /**
   * @param scope the call: a name stands for a stream of the caller's account in the call's region
   * @throws ServiceError ResourceNotFoundException, InvalidArgumentException
   */
  async find(target: StreamTarget, scope: StreamScope): Promise<StreamRecord> {
    const stream = await this.#findAt(addressOf(target, scope), scope.region);
    if (stream === undefined) throw streamNotFound();
    return stream;
  }

  /**
   * What `authorize` of an operation on a stream returns: the action on the stream's ARN, with its tags.
   *
   * Streams have no resource policies, so that those of other accounts are refused by the policy engine; of them
   * nothing is looked up.
   *
   * @param action such as `kinesisvideo:GetMedia`
   * @throws ServiceError InvalidArgumentException
   */
  async access(
    action: string,
    target: StreamTarget,
    scope: StreamScope,
    extra: Pick<AccessRequest, 'requestTags' | 'context'> = {},
  ): Promise<readonly AccessRequest[]> {
    const address = addressOf(target, scope);
    const { account, region, name, createdAt } = address;
    const isOwn = account === accountOf(scope.caller);
    const stream = isOwn ? await this.#findAt(address, scope.region) : undefined;
    return [
      {
        action,
        resource: stream?.arn ?? streamArn(account, region, name, createdAt ?? '*'),
        resourceAccount: account,
        ...(stream !== undefined && { resourceTags: stream.tags }),
        ...extra,
      },
    ];
  }

  /**
   * Calls `listener` for each stream that is deleted from now on, once that is durable: connections that write to or
   * read from the stream have to end.
   *
   * @returns stops it
   */
  onDeleted(listener: (stream: StreamRecord) => void): () => void {
    this.#deletionListeners.add(listener);
    return () => this.#deletionListeners.delete(listener);
  }

  /** Says that a stream was deleted. */
  announceDeletion(stream: StreamRecord): void {
    for (const listener of this.#deletionListeners) listener(stream);
  }

  async #findAt({ account, region, name, createdAt }: StreamAddress, here: Region): Promise<StreamRecord | undefined> {
    if (region !== here) return undefined;
    const row = await this.#store.find(account, region, name);
    if (row === undefined || (createdAt !== undefined && row.created_at !== createdAt)) return undefined;
    return recordOf(row);
  }
}

function addressOf({ StreamName, StreamARN }: StreamTarget, scope: StreamScope): StreamAddress {
  if (StreamARN !== undefined) {
    const address = parseStreamArn(StreamARN);
    if (address === undefined) throw invalidArgument(`Invalid StreamARN: ${StreamARN}`);
    if (StreamName === undefined || StreamName === address.name) return address;
    throw invalidArgument('StreamName and StreamARN name different streams. Give one of them.');
  }
  if (StreamName === undefined) throw invalidArgument('Either StreamName or StreamARN is required.');
  return { account: accountOfCaller(scope.caller), region: scope.region, name: StreamName, createdAt: undefined };
}

/** @throws ServiceError AccessDeniedException for anonymous callers, of whom there are none */
export function accountOfCaller(caller: Caller): AccountId {
  const account = accountOf(caller);
  if (account === undefined) throw accessDenied('Missing Authentication Token');
  return account;
}
