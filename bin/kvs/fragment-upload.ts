import type { WrittenPiece } from '#media/matroska/fragment-writer.ts';
import type { KvsTarget } from './kvs-target.ts';
import { type Acknowledgement, PutMediaConnection } from './put-media-connection.ts';
import { PutMediaError } from './put-media-error.ts';

/** A connection may last 45 minutes; the next one begins in good time before. */
const CONNECTION_MS = 40 * 60_000;
/** Frames that come at once are sent together, up to this many bytes. */
const BATCH_BYTES = 256 * 1024;

export interface UploadFacts {
  readonly target: KvsTarget;
  /** What every connection begins with. */
  readonly header: Buffer;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly onAcknowledgement: (line: string, acknowledgement: Acknowledgement) => void;
  /** How long a connection is used. */
  readonly connectionMs?: number;
}

/** Sends fragments over one connection after the other, and keeps count of what was acknowledged. */
export class FragmentUpload {
  readonly #facts: UploadFacts;
  #endpoint: string | undefined;
  #connection: PutMediaConnection | undefined;
  #openedAt = 0;
  #batch: Buffer[] = [];
  #batchBytes = 0;
  #sent = 0;
  #received = 0;
  #persisted = 0;

  constructor(facts: UploadFacts) {
    this.#facts = facts;
  }

  /** Fragments that were sent whole. */
  get sent(): number {
    return this.#sent;
  }

  /** Fragments that the service has in its hands; at the end, those that it keeps where the stream keeps any. */
  get acknowledged(): number {
    return this.#persisted > 0 ? this.#persisted : this.#received;
  }

  /**
   * @param isUrgent true sends at once what there is: for frames that come at their own pace
   * @throws PutMediaError, or the SDK's errors from finding the endpoint
   */
  async send(piece: WrittenPiece, isUrgent: boolean): Promise<void> {
    for (const bytes of piece.bytes) {
      this.#batch.push(bytes);
      this.#batchBytes += bytes.length;
    }
    if (isUrgent || piece.endsFragment || this.#batchBytes >= BATCH_BYTES) await this.#flush();
    if (!piece.endsFragment) return;
    this.#sent += 1;
    if (Date.now() - this.#openedAt >= (this.#facts.connectionMs ?? CONNECTION_MS)) await this.#endConnection();
  }

  /** Resolves when everything was acknowledged. @throws PutMediaError when something was not */
  async end(): Promise<void> {
    await this.#endConnection();
    const missing = this.#sent - this.acknowledged;
    if (missing !== 0) throw new PutMediaError(`${missing} of ${this.#sent} fragments were not acknowledged.`);
  }

  destroy(): void {
    this.#connection?.destroy();
  }

  async #flush(): Promise<void> {
    const batch = this.#batch;
    this.#batch = [];
    this.#batchBytes = 0;
    this.#connection ??= await this.#open();
    await this.#connection.send(batch);
  }

  async #open(): Promise<PutMediaConnection> {
    const { target, header, startedAt, onAcknowledgement } = this.#facts;
    this.#endpoint ??= await target.dataEndpoint('PUT_MEDIA');
    const connection = await PutMediaConnection.open({
      endpoint: this.#endpoint,
      region: target.settings.region,
      credentials: await target.credentials(),
      stream: target.stream,
      startedAt,
      onAcknowledgement: (line, acknowledgement) => {
        if (acknowledgement.EventType === 'RECEIVED') this.#received += 1;
        if (acknowledgement.EventType === 'PERSISTED') this.#persisted += 1;
        onAcknowledgement(line, acknowledgement);
      },
    });
    this.#openedAt = Date.now();
    await connection.send([header]);
    return connection;
  }

  async #endConnection(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    await connection?.end();
  }
}
