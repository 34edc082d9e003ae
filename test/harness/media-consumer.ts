import assert from 'node:assert/strict';
import type { Readable } from 'node:stream';
import {
  GetMediaCommand,
  type GetMediaCommandInput,
  type KinesisVideoMediaClient,
  type StartSelector,
} from '@aws-sdk/client-kinesis-video-media';

/** One fragment of GetMedia's answer, or what stands in its place. */
export interface MediaChunk {
  /** All of it: a Matroska stream. */
  readonly bytes: Buffer;
  /** The service's tags, without `AWS_KINESISVIDEO_`. */
  readonly tags: ReadonlyMap<string, string>;
}

const TAG = /AWS_KINESISVIDEO_([A-Z_]+)D\x87[^]{4}/g;
const EBML = Buffer.from('1a45dfa3', 'hex');
const PATIENCE_MS = 20_000;

/** Reads what GetMedia gives, fragment by fragment, through the SDK's own client. */
export class MediaConsumer {
  readonly #body: Readable;
  readonly #iterator: AsyncIterator<Buffer>;
  #rest = Buffer.alloc(0);
  #isEnded = false;

  private constructor(body: Readable) {
    this.#body = body;
    this.#iterator = body[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  static async open(
    client: KinesisVideoMediaClient,
    StreamName: string,
    start: StartSelector | StartSelector['StartSelectorType'],
    input: Partial<GetMediaCommandInput> = {},
  ): Promise<MediaConsumer> {
    const StartSelector = typeof start === 'string' ? { StartSelectorType: start } : start;
    const output = await client.send(new GetMediaCommand({ StreamName, StartSelector, ...input }));
    assert.equal(output.ContentType, 'video/webm');
    return new MediaConsumer(output.Payload as Readable);
  }

  /** The next fragment; `undefined` when the answer is over. */
  async next(): Promise<MediaChunk | undefined> {
    for (;;) {
      const end = this.#endOfChunk();
      if (end !== undefined) {
        const bytes = this.#rest.subarray(0, end);
        this.#rest = this.#rest.subarray(end);
        return { bytes, tags: tagsOf(bytes) };
      }
      if (this.#isEnded) {
        if (this.#rest.length === 0) return undefined;
        throw new Error(`The answer ended in the middle: ${this.#rest.toString('latin1')}`);
      }
      const { value, done } = await this.#read();
      if (done === true) this.#isEnded = true;
      else this.#rest = Buffer.concat([this.#rest, value]);
    }
  }

  async take(count: number): Promise<MediaChunk[]> {
    const chunks: MediaChunk[] = [];
    while (chunks.length < count) {
      const chunk = await this.next();
      assert.ok(chunk, `the answer ended after ${chunks.length} of ${count} fragments`);
      chunks.push(chunk);
    }
    return chunks;
  }

  /** Goes away, as a client does that has had enough. */
  close(): void {
    this.#body.destroy();
  }

  async #read(): Promise<IteratorResult<Buffer>> {
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('No fragment came.')), PATIENCE_MS);
    });
    try {
      return await Promise.race([this.#iterator.next(), patience]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** A fragment ends with its continuation token; what is no fragment ends with the answer. */
  #endOfChunk(): number | undefined {
    const text = this.#rest.toString('latin1');
    const token = /AWS_KINESISVIDEO_CONTINUATION_TOKEND\x87[^]{4}\d{47}/.exec(text);
    if (token !== null) return token.index + token[0].length;
    return this.#isEnded && this.#rest.length > 0 && text.includes('ERROR_ID') ? this.#rest.length : undefined;
  }
}

function tagsOf(bytes: Buffer): Map<string, string> {
  assert.ok(bytes.subarray(0, 4).equals(EBML), 'a fragment begins with an EBML header');
  const tags = new Map<string, string>();
  for (const match of bytes.toString('latin1').matchAll(TAG)) {
    const at = match.index + match[0].length;
    const size = bytes.readUInt32BE(at - 4) & 0x0fffffff;
    tags.set(match[1] ?? '', bytes.subarray(at, at + size).toString());
  }
  return tags;
}
