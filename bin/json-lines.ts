import { once } from 'node:events';
import type { Socket } from 'node:net';

/** More than a line of this protocol ever has: an account is a few hundred bytes. */
const MAX_LINE = 1024 * 1024;

/** The values that come over a connection, one JSON text a line, until the other side ends. */
export async function* readJsonLines(connection: Socket): AsyncGenerator<unknown> {
  let rest = '';
  // Who stops reading may still write: the connection is not ended with the iteration.
  for await (const chunk of connection.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    rest += chunk as string;
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
      const line = rest.slice(0, end);
      rest = rest.slice(end + 1);
      yield JSON.parse(line);
    }
    if (rest.length > MAX_LINE) throw new Error('A line of the control connection is too long.');
  }
}

/** Resolves when there is room for more; at once where nobody listens any longer. */
export async function writeJsonLine(connection: Socket, value: unknown): Promise<void> {
  if (!connection.writable || connection.write(`${JSON.stringify(value)}\n`)) return;
  const closed = new AbortController();
  const onClose = () => closed.abort();
  connection.once('close', onClose);
  try {
    await once(connection, 'drain', { signal: closed.signal });
  } catch {
    // It was closed: the reader is gone, and the caller sees that the connection is destroyed.
  } finally {
    connection.off('close', onClose);
  }
}
