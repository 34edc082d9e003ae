import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { hasOwnedChunks } from '#kernel/owned-chunks.ts';
import type { EncodedResponse } from '#protocol/http-output.ts';
import { endOf, roomIn } from './response-room.ts';

/** A body that nobody wants is read to its end where that is near, so that the connection can be used again. */
const MAX_KEPT = 1024 * 1024;
/**
 * A longer one is read on for a while, and thrown away: a client that sends all before it reads anything would
 * otherwise lose the answer with the connection.
 */
const MAX_DRAIN_MS = 30_000;
const MAX_DRAIN_PAUSE_MS = 2000;

/** What a handler has set beyond what the schema gives. */
export interface Reply {
  readonly status?: number;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Writes an encoded response. A stream that fails after the head was sent ends the connection: the client sees a body
 * that is too short, never a wrong one that looks whole.
 *
 * @returns how many bytes of a body were sent
 */
export async function writeResponse(
  response: ServerResponse,
  message: IncomingMessage,
  requestId: string,
  wire: EncodedResponse,
  reply: Reply = { headers: {} },
): Promise<number> {
  if (response.headersSent || response.destroyed) {
    // Nobody will read the stream: what it holds open is let go.
    wire.stream?.destroy();
    response.destroy();
    return 0;
  }
  const isBodyUnread = !message.complete && !message.readableEnded && !isNearItsEnd(message);
  const headers = responseHeaders(requestId, wire, reply);
  if (isBodyUnread) headers['connection'] = 'close';
  const status = reply.status ?? wire.status;
  if (wire.stream !== undefined && message.method !== 'HEAD') {
    response.writeHead(status, headers);
    return await relay(wire.stream, response);
  }
  const body = message.method === 'HEAD' || status === 204 || status === 304 ? undefined : wire.body;
  if (headers['content-length'] === undefined && status !== 204 && status !== 304) {
    headers['content-length'] = body?.length ?? 0;
  }
  response.writeHead(status, headers);
  if (!isBodyUnread) {
    // Answers that are ready in one turn of the event loop leave one after the other at its end: a client with many
    // connections is woken once for all of them, not for each.
    setImmediate(() => {
      if (!response.destroyed) response.end(body);
      message.resume();
    });
    return body?.length ?? 0;
  }
  response.write(body ?? Buffer.alloc(0));
  await drain(message);
  response.end();
  return body?.length ?? 0;
}

/**
 * Not by `pipeline`: a chunk that the socket has taken is given back to its stream, as fresh memory for each is what a
 * large answer would spend most of its time on. Never rejects; resolves when all is written or the connection is gone.
 *
 * @returns how many bytes were written
 */
async function relay(stream: Readable, response: ServerResponse): Promise<number> {
  const release = hasOwnedChunks(stream) ? stream.release.bind(stream) : undefined;
  response.once('close', () => stream.destroy());
  let sent = 0;
  try {
    for await (const data of stream) {
      const chunk: Uint8Array = data;
      const hasRoom = response.write(chunk, (error) => {
        // INVARIANT: only what was written is given back; what failed may still lie with the system.
        if (error === null || error === undefined) release?.(chunk);
      });
      sent += chunk.length;
      if (!hasRoom) await roomIn(response);
    }
    response.end();
  } catch {
    response.destroy();
  }
  await endOf(response);
  return sent;
}

export function responseHeaders(
  requestId: string,
  wire: EncodedResponse,
  reply: Reply,
): Record<string, string | number> {
  return { 'x-amzn-requestid': requestId, 'x-amz-request-id': requestId, ...wire.headers, ...reply.headers };
}

/**
 * Also true of a request without a body, of which the parser may not have said yet that it is complete. Never with
 * `Expect`: whether the client sends the body after all is its own choice.
 */
function isNearItsEnd(message: IncomingMessage): boolean {
  const { 'content-length': length = '0', 'transfer-encoding': encoding, expect } = message.headers;
  return expect === undefined && encoding === undefined && Number(length) <= MAX_KEPT;
}

async function drain(message: IncomingMessage): Promise<void> {
  if (message.destroyed) return;
  await new Promise<void>((resolve) => {
    const whole = setTimeout(() => finish(), MAX_DRAIN_MS);
    const pause = setTimeout(() => finish(), MAX_DRAIN_PAUSE_MS);
    const finish = () => {
      clearTimeout(whole);
      clearTimeout(pause);
      resolve();
    };
    message.on('data', () => pause.refresh());
    message.on('end', finish);
    message.on('close', finish);
    message.on('error', finish);
    message.resume();
  });
}
