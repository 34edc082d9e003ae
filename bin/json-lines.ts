import type { Socket } from 'node:net';

/** More than a line of this protocol ever has: an account is a few hundred bytes. */
const MAX_LINE = 1024 * 1024;

/** The values that come over a connection, one JSON text a line, until the other side ends. */
export async function* readJsonLines<Value>(connection: Socket): AsyncGenerator<Value> {
  let rest = '';
  for await (const chunk of connection.setEncoding('utf8')) {
    rest += chunk as string;
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
      const line = rest.slice(0, end);
      rest = rest.slice(end + 1);
      yield JSON.parse(line) as Value;
    }
    if (rest.length > MAX_LINE) throw new Error('A line of the control connection is too long.');
  }
}

export function writeJsonLine(connection: Socket, value: unknown): void {
  if (connection.writable) connection.write(`${JSON.stringify(value)}\n`);
}
