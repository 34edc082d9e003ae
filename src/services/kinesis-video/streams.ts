import { accountOf, type Caller } from '#kernel/caller.ts';
import type { AccountId, Region } from '#kernel/ids.ts';
import type { AccessRequest } from '#kernel/operation.ts';
import type { Randomness } from '#kernel/randomness.ts';
import { newVersion } from './domain/stream-version.ts';
import { accessDenied, invalidArgument, streamNotFound, versionMismatch } from './errors.ts';
import { parseStreamArn, recordOf, type StreamAddress, streamArn, type StreamRecord } from './domain/stream-record.ts';
import { findStream, type StreamRow, type StreamStore } from './store.ts';

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

export type StreamChange = Partial<
  Omit<StreamRow, 'id' | 'account' | 'region' | 'name' | 'created_at' | 'version' | 'kms_key_id'>
>;

/** What is told of a stream that was deleted. */
export type DeletedStream = Pick<StreamRecord, 'id'>;

/** The streams that requests name. */
export class Streams {
  readonly #store: StreamStore;
  readonly #randomness: Randomness;
  readonly #deletionListeners = new Set<(stream: DeletedStream) => void>();

  constructor(store: StreamStore, randomness: Randomness) {
    this.#store = store;
    this.#randomness = randomness;
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
   * Changes a stream.
   *
   * @param currentVersion the version that the request expects, where it does
   * @param changeOf what to change of the stream as it is; tags alone leave the version as it is
   * @returns the stream as it is then
   * @throws ServiceError as `find`, VersionMismatchException, and what `changeOf` throws
   */
  async change(
    target: StreamTarget,
    scope: StreamScope,
    currentVersion: string | undefined,
    changeOf: (row: StreamRow) => StreamChange,
  ): Promise<StreamRecord> {
    const address = addressOf(target, scope);
    return this.#store.write(async (transaction) => {
      const row = await findStream(transaction, address.account, address.region, address.name);
      if (row === undefined || !isAt(row, address, scope.region)) throw streamNotFound();
      if (currentVersion !== undefined && currentVersion !== row.version) throw versionMismatch(currentVersion);
      const change = changeOf(row);
      const isTagsOnly = Object.keys(change).every((column) => column === 'tags');
      const changed = { ...change, ...(!isTagsOnly && { version: newVersion(this.#randomness) }) };
      await transaction.updateTable('kinesis_video_stream').set(changed).where('id', '=', row.id).execute();
      return recordOf({ ...row, ...changed });
    });
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
  onDeleted(listener: (stream: DeletedStream) => void): () => void {
    this.#deletionListeners.add(listener);
    return () => this.#deletionListeners.delete(listener);
  }

  /** Says that a stream was deleted. */
  announceDeletion(stream: DeletedStream): void {
    for (const listener of this.#deletionListeners) listener(stream);
  }

  async #findAt(address: StreamAddress, here: Region): Promise<StreamRecord | undefined> {
    const row = await this.#store.find(address.account, address.region, address.name);
    return row !== undefined && isAt(row, address, here) ? recordOf(row) : undefined;
  }
}

/** An ARN of another region, or of a stream of that name that was there before, names nothing. */
function isAt(row: StreamRow, { createdAt }: StreamAddress, here: Region): boolean {
  return row.region === here && (createdAt === undefined || row.created_at === createdAt);
}

function addressOf({ StreamName, StreamARN }: StreamTarget, scope: StreamScope): StreamAddress {
  if (StreamARN !== undefined) {
    const address = parseStreamArn(StreamARN);
    if (address === undefined) throw invalidArgument(`${StreamARN} is not the ARN of a stream.`);
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
