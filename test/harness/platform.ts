import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '#kernel/logger.ts';
import { readConfig } from '../../bin/config.ts';
import { Server } from '../../bin/server.ts';

export interface ClientConfig {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
  readonly forcePathStyle: true;
  readonly maxAttempts: 1;
}

/** The real server on a data folder of its own, for tests that talk to it over its socket. */
export interface TestPlatform {
  readonly endpoint: string;
  readonly dataFolder: string;
  readonly accountId: string;
  readonly server: Server;
  /** The environment by which a child process starts on the same installation. */
  readonly environment: NodeJS.ProcessEnv;
  /** What a client of the SDK is constructed with; root's credentials unless others are given. */
  clientConfig(credentials?: ClientConfig['credentials'], region?: string): ClientConfig;
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function startTestPlatform(extra: NodeJS.ProcessEnv = {}): Promise<TestPlatform> {
  const folder = await mkdtemp(join(tmpdir(), 'coffer-test-'));
  const dataFolder = join(folder, 'data');
  const root = { accessKeyId: 'AKIATESTROOT00000000', secretAccessKey: randomBytes(30).toString('base64') };
  const environment: NodeJS.ProcessEnv = {
    COFFER_DATA: dataFolder,
    COFFER_PORT: '0',
    COFFER_ROOT_KEY_FILE: join(folder, 'root.key'),
    COFFER_ROOT_ACCESS_KEY_ID: root.accessKeyId,
    COFFER_ROOT_SECRET_ACCESS_KEY: root.secretAccessKey,
    COFFER_LOG_LEVEL: 'silent',
    ...extra,
  };
  const config = readConfig({}, environment);
  const server = await Server.start(config, environment, silentLogger);
  const stop = async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  };
  return {
    endpoint: server.endpoint,
    dataFolder,
    accountId: config.accountId,
    server,
    environment,
    clientConfig: (credentials = root, region = 'us-east-1') => ({
      endpoint: server.endpoint,
      region,
      credentials,
      forcePathStyle: true,
      maxAttempts: 1,
    }),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
