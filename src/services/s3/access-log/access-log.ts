import type { DeleteObjectsOutput, DeleteObjectsRequest } from '@aws-sdk/client-s3';
import type { Clock } from '#kernel/clock.ts';
import { type Caller, accountOf } from '#kernel/caller.ts';
import type { Exchange } from '#kernel/exchange.ts';
import type { AccountId } from '#kernel/ids.ts';
import type { Logger } from '#kernel/logger.ts';
import { settingsOf } from '../domain/bucket-settings.ts';
import type { RequestScope } from '../request-scope.ts';
import type { BucketRow } from '../store.ts';
import type { AccessLogStore } from './access-log-store.ts';
import { copiedObject, objectSizeOf, signatureOf } from './exchange-facts.ts';
import { type LogLine, writeLogLine } from './log-line.ts';
import { logOperation } from './log-operation.ts';

const FLUSH_MS = 200;
/** Characters that may wait to be written; what comes beyond is dropped, and the number told. */
const MOST_BUFFERED = 16 * 1024 * 1024;
const MOST_OWNERS = 1000;
const SERVICE = 's3.amazonaws.com';

type Requested = Pick<LogLine, 'operation' | 'key' | 'status' | 'errorCode' | 'objectSize' | 'versionId'>;

/**
 * Gathers the lines of access logs, and writes them to the records in groups. As in AWS it is best effort: a request waits
 * for none of it, and the lines of the last moment are lost when the process is killed.
 */
export class AccessLog {
  readonly #store: AccessLogStore;
  readonly #scope: RequestScope;
  readonly #canonicalIdOf: (account: AccountId) => Promise<string>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #owners = new Map<AccountId, string>();
  #buffer = new Map<string, { readonly bucket: string; readonly day: string; readonly lines: string[] }>();
  #buffered = 0;
  #dropped = 0;
  #timer: NodeJS.Timeout | undefined;
  #work: Promise<void> = Promise.resolve();
  readonly #noting = new Set<Promise<void>>();

  constructor(parts: {
    readonly store: AccessLogStore;
    readonly scope: RequestScope;
    readonly canonicalIdOf: (account: AccountId) => Promise<string>;
    readonly clock: Clock;
    readonly logger: Logger;
  }) {
    this.#store = parts.store;
    this.#scope = parts.scope;
    this.#canonicalIdOf = parts.canonicalIdOf;
    this.#clock = parts.clock;
    this.#logger = parts.logger;
  }

  /** Notes an exchange where its bucket has a log. It neither waits nor throws. */
  observe(exchange: Exchange): void {
    const bucket = exchange.labels['Bucket'];
    if (exchange.operation === undefined || bucket === undefined) return;
    // Most buckets have no log: that costs a request next to nothing.
    const known = exchange.call && this.#scope.knownBucket(exchange.call, bucket);
    const isCopy = exchange.operation === 'CopyObject' || exchange.operation === 'UploadPartCopy';
    if (known !== undefined && !isCopy && settingsOf(known).logging === undefined) return;
    const noting: Promise<void> = this.#note(exchange, exchange.operation, bucket)
      // Of a bucket that is not there, or whose record is damaged, there is no log.
      .catch(() => undefined)
      .finally(() => this.#noting.delete(noting));
    this.#noting.add(noting);
  }

  /** Notes what the service did by itself, such as an expiration. */
  async noteAct(bucket: BucketRow, operation: string, key: string, requestId: string): Promise<void> {
    if (settingsOf(bucket).logging === undefined) return;
    const time = this.#clock.now();
    const ownerId = await this.#canonicalId(bucket.account);
    this.#add(bucket, {
      ownerId,
      bucket: bucket.name,
      time,
      sourceIp: '-',
      requester: SERVICE,
      requestId,
      operation,
      key,
    });
  }

  /** Resolves when all that was noted before is written. */
  async flush(): Promise<void> {
    await Promise.all(this.#noting);
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#work = this.#work.then(() => this.#write());
    await this.#work;
  }

  async #note(exchange: Exchange, operation: string, name: string): Promise<void> {
    const { call } = exchange;
    const bucket = await this.#scope.bucketOf(call, name);
    const input = (exchange.input ?? {}) as { readonly Key?: string; readonly VersionId?: string };
    const key = input.Key ?? exchange.labels['Key'];
    const answered = exchange.answerHeaders['x-amz-version-id'];
    const versionId = answered === undefined ? input.VersionId : String(answered);
    const { status, errorCode } = exchange;
    const copied = copiedObject(operation, exchange.input);
    if (copied !== undefined) {
      const source =
        copied.bucket === name ? bucket : await this.#scope.bucketOf(call, copied.bucket).catch(() => bucket);
      if (source.name === copied.bucket) {
        const about = { key: copied.key, status, errorCode, versionId: copied.versionId };
        await this.#addLine(exchange, source, { operation: `${logOperation(operation, false)}_GET`, ...about });
      }
    }
    if (settingsOf(bucket).logging === undefined) return;
    const objectSize = objectSizeOf(exchange, operation);
    const about = {
      operation: logOperation(operation, exchange.isForm),
      key,
      status,
      errorCode,
      objectSize,
      versionId,
    };
    await this.#addLine(exchange, bucket, about);
    if (operation !== 'DeleteObjects' || exchange.output === undefined) return;
    const { Errors: errors = [] } = exchange.output as DeleteObjectsOutput;
    const refused = new Map(errors.map((error) => [JSON.stringify([error.Key, error.VersionId]), error.Code]));
    for (const { Key, VersionId } of (exchange.input as DeleteObjectsRequest).Delete?.Objects ?? []) {
      const code = refused.get(JSON.stringify([Key, VersionId]));
      const item = { key: Key, status: code === undefined ? 204 : 403, errorCode: code, versionId: VersionId };
      await this.#addLine(exchange, bucket, { operation: 'BATCH.DELETE.OBJECT', ...item });
    }
  }

  async #addLine(exchange: Exchange, bucket: BucketRow, requested: Requested): Promise<void> {
    if (settingsOf(bucket).logging === undefined) return;
    const { requestId, sourceIp, receivedAt, answeredAt, endedAt, header, host } = exchange;
    const isWhole = !requested.operation.startsWith('BATCH.') && !requested.operation.endsWith('_GET');
    // Of a request with a body it is not known when the last of it had come.
    const hasBody = (header('content-length') ?? '0') !== '0' || header('transfer-encoding') !== undefined;
    this.#add(bucket, {
      ownerId: await this.#canonicalId(bucket.account),
      bucket: bucket.name,
      time: receivedAt,
      sourceIp,
      requester: exchange.call && (await this.#requesterOf(exchange.call.caller)),
      requestId,
      ...requested,
      ...(isWhole && {
        request: exchange,
        bytesSent: exchange.bytesSent,
        totalTime: endedAt - receivedAt,
        turnAroundTime: hasBody ? undefined : answeredAt - receivedAt,
        referer: header('referer'),
        userAgent: header('user-agent'),
      }),
      signature: signatureOf(exchange),
      host,
    });
  }

  #add(bucket: BucketRow, line: LogLine): void {
    const text = writeLogLine(line);
    if (this.#buffered + text.length > MOST_BUFFERED) {
      this.#dropped += 1;
      return;
    }
    const day = new Date(line.time).toISOString().slice(0, 10);
    const id = `${day} ${bucket.name}`;
    const group = this.#buffer.get(id) ?? { bucket: bucket.name, day, lines: [] };
    group.lines.push(text);
    this.#buffer.set(id, group);
    this.#buffered += text.length + 1;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#work = this.#work.then(() => this.#write());
    }, FLUSH_MS);
  }

  async #write(): Promise<void> {
    const groups = [...this.#buffer.values()];
    this.#buffer = new Map();
    this.#buffered = 0;
    const dropped = this.#dropped;
    this.#dropped = 0;
    if (dropped > 0) this.#logger.error({ dropped }, 'lines of access logs were dropped: there were too many at once');
    if (groups.length === 0) return;
    try {
      const time = this.#clock.now();
      await this.#store.add(groups.map(({ bucket, day, lines }) => ({ bucket, day, time, lines: lines.join('\n') })));
    } catch (error) {
      this.#logger.error({ err: error }, 'lines of access logs could not be written, and are lost');
    }
  }

  async #requesterOf(caller: Caller): Promise<string | undefined> {
    if (caller.type === 'service') return caller.service;
    const account = accountOf(caller);
    if (caller.type === 'anonymous' || account === undefined) return undefined;
    return caller.type === 'root' ? await this.#canonicalId(account) : caller.arn;
  }

  async #canonicalId(account: AccountId): Promise<string> {
    let id = this.#owners.get(account);
    if (id !== undefined) return id;
    id = await this.#canonicalIdOf(account);
    if (this.#owners.size >= MOST_OWNERS) this.#owners.clear();
    this.#owners.set(account, id);
    return id;
  }
}
