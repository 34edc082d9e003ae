import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ClientConfig } from './platform.ts';

const COFFER = fileURLToPath(new URL('../../bin/main.mjs', import.meta.url));

/** A data folder whose server runs in a process of its own, to be killed and started again. */
export class ServerFolder {
  readonly folder: string;
  readonly dataFolder: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly #credentials: ClientConfig['credentials'];

  private constructor(folder: string) {
    this.folder = folder;
    this.dataFolder = join(folder, 'data');
    this.#credentials = { accessKeyId: 'AKIATESTROOT00000000', secretAccessKey: randomBytes(30).toString('base64') };
    this.environment = {
      ...process.env,
      COFFER_DATA: this.dataFolder,
      COFFER_PORT: '0',
      COFFER_ROOT_KEY_FILE: join(folder, 'root.key'),
      COFFER_ROOT_ACCESS_KEY_ID: this.#credentials.accessKeyId,
      COFFER_ROOT_SECRET_ACCESS_KEY: this.#credentials.secretAccessKey,
      COFFER_LOG_LEVEL: 'error',
    };
  }

  static async make(): Promise<ServerFolder> {
    return new ServerFolder(await mkdtemp(join(tmpdir(), 'coffer-process-')));
  }

  /** @param fileSizeLimit in KiB: every larger file is, to the server, a full disk */
  async start(fileSizeLimit?: number): Promise<ServerProcess> {
    const limit = fileSizeLimit === undefined ? '' : `ulimit -f ${fileSizeLimit}; `;
    const child = spawn('bash', ['-c', `${limit}exec "$0" "$@"`, process.execPath, COFFER, 'start'], {
      env: this.environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    const endpoint = await new Promise<string>((resolve, reject) => {
      let output = '';
      const read = (chunk: Buffer): void => {
        output += chunk.toString();
        const match = /ready at (http:\S+)/.exec(output);
        if (match?.[1] !== undefined) resolve(match[1]);
      };
      child.stdout.on('data', read);
      child.stderr.on('data', read);
      child.once('exit', () => reject(new Error(`The server ended before it was ready: ${output}`)));
    });
    return {
      endpoint,
      clientConfig: {
        endpoint,
        region: 'us-east-1',
        credentials: this.#credentials,
        forcePathStyle: true,
        maxAttempts: 1,
      },
      async end(signal) {
        child.kill(signal);
        await ended;
      },
    };
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

export interface ServerProcess {
  readonly endpoint: string;
  readonly clientConfig: ClientConfig;
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}
