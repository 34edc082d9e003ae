import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { EncodedResponse } from '#protocol/http-output.ts';

/** What is read of a body that nobody wants, so that the client gets to read the refusal. */
const MAX_DRAIN = 16 * 1024 * 1024;
const MAX_DRAIN_MS = 2000;

/**
 * Writes an encoded response. A stream that fails after the head was sent ends the connection: the client sees a body
 * that is too short, never a wrong one that looks whole.
 */
export async function writeResponse(
  response: ServerResponse,
  message: IncomingMessage,
  requestId: string,
  wire: EncodedResponse,
  reply: { readonly status?: number; readonly headers: Readonly<Record<string, string>> } = { headers: {} },
): Promise<void> {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const isBodyUnread = !message.complete && !message.readableEnded;
  const headers: Record<string, string | number> = {
    'x-amzn-requestid': requestId,
    'x-amz-request-id': requestId,
    ...wire.headers,
    ...reply.headers,
  };
  if (isBodyUnread) headers['connection'] = 'close';
  const status = reply.status ?? wire.status;
  if (wire.stream !== undefined && message.method !== 'HEAD') {
    response.writeHead(status, headers);
    await pipeline(wire.stream, response).catch(() => response.destroy());
    return;
  }
  const body = message.method === 'HEAD' || status === 204 || status === 304 ? undefined : wire.body;
  if (headers['content-length'] === undefined && status !== 204 && status !== 304) {
    headers['content-length'] = body?.length ?? 0;
  }
  response.writeHead(status, headers);
  if (!isBodyUnread) {
    response.end(body);
    return;
  }
  response.write(body ?? Buffer.alloc(0));
  await drain(message);
  response.end();
}

async function drain(message: IncomingMessage): Promise<void> {
  await new Promise<void>((resolve) => {
    let drained = 0;
    const timer = setTimeout(resolve, MAX_DRAIN_MS);
    const finish = () => {
      clearTimeout(timer);
      resolve();
    };
    message.on('data', (chunk: Buffer) => {
      drained += chunk.length;
      if (drained > MAX_DRAIN) finish();
    });
    message.on('end', finish);
    message.on('close', finish);
    message.on('error', finish);
    message.resume();
  });
}
