import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { CONTROL_FILE, type ControlAddress, type ControlReply, type ControlRequest } from './control-protocol.ts';
import { readJsonLines, writeJsonLine } from './json-lines.ts';

/** A command that the server refused; its message is for the operator. */
export class ControlError extends Error {}

/** Connects to the server that runs on a data folder; `undefined` when there is none. */
export async function connectToServer(dataFolder: string): Promise<Socket | undefined> {
  let address: ControlAddress;
  try {
    address = JSON.parse(await readFile(join(dataFolder, CONTROL_FILE), 'utf8')) as ControlAddress;
  } catch {
    return undefined;
  }
  return new Promise((resolve) => {
    const connection = connect(address.socket);
    connection.once('connect', () => resolve(connection));
    connection.once('error', () => resolve(undefined));
  });
}

/** @throws ControlError */
export async function* askServer(connection: Socket, request: ControlRequest): AsyncGenerator<ControlReply> {
  await writeJsonLine(connection, request);
  for await (const value of readJsonLines(connection)) {
    const reply = value as ControlReply;
    if (reply.type === 'done') return;
    if (reply.type === 'error') throw new ControlError(reply.message);
    yield reply;
  }
  throw new ControlError('The server ended before it had answered.');
}

/** The address of the server that runs on a data folder; `undefined` when there is none. */
export async function runningEndpoint(dataFolder: string): Promise<string | undefined> {
  const connection = await connectToServer(dataFolder);
  if (connection === undefined) return undefined;
  try {
    for await (const reply of askServer(connection, { command: 'status' })) {
      if (reply.type === 'item') return (reply.value as { readonly endpoint?: string }).endpoint;
    }
    return undefined;
  } finally {
    connection.destroy();
  }
}
