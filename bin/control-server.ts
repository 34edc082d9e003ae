import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Logger } from '#kernel/logger.ts';
import type { Administration } from './administration.ts';
import { CONTROL_FILE, type ControlAddress, type ControlReply, type ControlRequest } from './control-protocol.ts';
import { readJsonLines, writeJsonLine } from './json-lines.ts';
import { writeFileDurably } from './write-file-durably.ts';

const SOCKET_NAME = 'control.sock';
const FOLDER_PREFIX = 'coffer-control-';

export interface ControlServer {
  close(): Promise<void>;
}

/**
 * Lets the operator's commands reach the running server, over a local socket that only the same user may open.
 *
 * The socket lies in a folder of its own with a short path: a data folder's path may be longer than a socket's can be.
 */
export async function startControlServer(
  dataFolder: string,
  administration: Administration,
  logger: Logger,
): Promise<ControlServer> {
  await removeLeftovers(dataFolder);
  const folder = await mkdtemp(join(tmpdir(), FOLDER_PREFIX));
  await chmod(folder, 0o700);
  const socket = join(folder, SOCKET_NAME);
  const connections = new Set<Socket>();
  const server = createServer((connection) => {
    connections.add(connection);
    connection.on('close', () => connections.delete(connection));
    connection.on('error', (error) => logger.debug({ err: error }, 'a control connection failed'));
    void serve(connection, administration, logger);
  });
  await listen(server, socket);
  const address: ControlAddress = { socket, pid: process.pid };
  await writeFileDurably(join(dataFolder, CONTROL_FILE), JSON.stringify(address), 0o600);
  return {
    async close() {
      for (const connection of connections) connection.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await rm(join(dataFolder, CONTROL_FILE), { force: true });
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function serve(connection: Socket, administration: Administration, logger: Logger): Promise<void> {
  const send = (reply: ControlReply): void => writeJsonLine(connection, reply);
  try {
    for await (const request of readJsonLines<ControlRequest>(connection)) {
      logger.info({ command: request.command }, 'an operator command');
      for await (const reply of administration.run(request)) send(reply);
      send({ type: 'done' });
      break;
    }
  } catch (error) {
    send({ type: 'error', message: error instanceof Error ? error.message : String(error) });
  }
  connection.end();
}

function listen(server: Server, socket: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(socket, resolve);
  });
}

/** What a server that was killed left behind. */
async function removeLeftovers(dataFolder: string): Promise<void> {
  try {
    const { socket } = JSON.parse(await readFile(join(dataFolder, CONTROL_FILE), 'utf8')) as ControlAddress;
    const folder = dirname(socket);
    if (folder.startsWith(join(tmpdir(), FOLDER_PREFIX))) await rm(folder, { recursive: true, force: true });
  } catch {
    // There is nothing to remove.
  }
}
