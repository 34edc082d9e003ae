import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '#kernel/logger.ts';
import type { Administration } from './administration.ts';
import { CONTROL_FILE, type ControlAddress, parseControlRequest } from './control-protocol.ts';
import { readJsonLines, writeJsonLine } from './json-lines.ts';
import { writeFileDurably } from './write-file-durably.ts';

const SOCKET_NAME = 'control.sock';
const FOLDER_PREFIX = 'coffer-control-';
/** How long an operator's command may go on when the server is to end. */
const GRACE_MS = 20_000;

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
  const commands = new Set<Promise<void>>();
  const server = createServer((connection) => {
    connections.add(connection);
    connection.on('close', () => connections.delete(connection));
    connection.on('error', (error) => logger.debug({ err: error }, 'a control connection failed'));
    const command = serve(connection, administration, logger).finally(() => commands.delete(command));
    commands.add(command);
  });
  await listen(server, socket);
  await chmod(socket, 0o600);
  const address: ControlAddress = { socket, pid: process.pid };
  await writeFileDurably(join(dataFolder, CONTROL_FILE), JSON.stringify(address), 0o600);
  return {
    async close() {
      const isClosed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const connection of connections) connection.destroy();
      await Promise.race([Promise.all(commands), delay(GRACE_MS, undefined, { ref: false })]);
      await isClosed;
      await rm(join(dataFolder, CONTROL_FILE), { force: true });
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function serve(connection: Socket, administration: Administration, logger: Logger): Promise<void> {
  try {
    for await (const value of readJsonLines(connection)) {
      const request = parseControlRequest(value);
      logger.info({ command: request.command }, 'an operator command');
      for await (const reply of administration.run(request)) {
        await writeJsonLine(connection, reply);
        // Nobody waits for the answer any longer. A deletion is finished all the same.
        if (connection.destroyed && request.command !== 'account-delete') return;
      }
      await writeJsonLine(connection, { type: 'done' });
      break;
    }
  } catch (error) {
    await writeJsonLine(connection, { type: 'error', message: error instanceof Error ? error.message : String(error) });
  }
  connection.end();
  // What still comes is not read, and must not keep the connection open.
  connection.resume();
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
