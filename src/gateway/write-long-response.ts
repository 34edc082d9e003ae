import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import type { EncodedResponse } from '#protocol/http-output.ts';
import { roomIn } from './response-room.ts';
import { type Reply, responseHeaders, writeResponse } from './write-response.ts';

/** How often a silent client's machine is asked whether it is still there. */
const KEEP_ALIVE_MS = 30_000;
/** How long a client that was told the end may go on sending. */
const MAX_OVERRUN_MS = 10_000;

/**
 * Writes an answer that goes on for as long as there is something to tell, perhaps while the request is still being
 * read. Its head goes out at once, and each chunk of the stream as a chunk of the wire. Silence does not end it; a
 * client that does not take what it is sent does.
 *
 * @returns when the stream has closed, so that whoever fills it has finished
 */
export async function writeLongResponse(
  response: ServerResponse,
  message: IncomingMessage,
  requestId: string,
  wire: EncodedResponse,
  reply: Reply,
): Promise<void> {
  const { stream } = wire;
  const { socket } = message;
  if (stream === undefined || response.headersSent || response.destroyed) {
    await writeResponse(response, message, requestId, wire, reply);
    return;
  }
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  response.on('timeout', () => {
    if (response.writableNeedDrain) socket.destroy();
    else socket.setTimeout(socket.timeout ?? 0);
  });
  response.writeHead(reply.status ?? wire.status, responseHeaders(requestId, wire, reply));
  response.flushHeaders();
  const closed = closeOf(stream);
  await relay(stream, response);
  await closed;
  if (!message.complete) endOverrun(message, socket);
}

/** Not by `pipe`: what is written in one turn of the loop goes as one chunk. */
async function relay(stream: Readable, response: ServerResponse): Promise<void> {
  response.once('close', () => stream.destroy());
  try {
    for await (const chunk of stream) {
      if (!response.write(chunk)) await roomIn(response);
      await new Promise<void>((resolve) => process.nextTick(resolve));
    }
    response.end();
  } catch {
    response.destroy();
  }
}

/** A client that sends on after the answer's end has a little while to notice: a reset could take the answer from it. */
function endOverrun(message: IncomingMessage, socket: Socket): void {
  const timer = setTimeout(() => socket.destroy(), MAX_OVERRUN_MS);
  timer.unref();
  message.once('close', () => clearTimeout(timer));
  message.resume();
}

function closeOf(stream: Readable): Promise<void> {
  if (stream.closed) return Promise.resolve();
  return new Promise((resolve) => {
    stream.once('close', resolve);
  });
}
