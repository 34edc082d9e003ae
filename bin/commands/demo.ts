import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { makeTestVideo } from '#media/test-video.ts';
import { readConfig } from '../config.ts';
import { runDemo } from '../demo/run-demo.ts';
import { createStage } from '../demo/stage.ts';
import { createLogger } from '../logger.ts';
import { Server } from '../server.ts';

/** Runs the demo on a platform and a data folder of its own, and removes both (unless they are to be kept). */
export async function demo(video: string | undefined, options: { readonly keep?: boolean }): Promise<void> {
  const source =
    video === undefined
      ? { name: 'countdown.mp4', bytes: await makeTestVideo({ seconds: 6, width: 1280, height: 720 }) }
      : { name: basename(video), bytes: await readFile(video) };
  const folder = await mkdtemp(join(tmpdir(), 'coffer-demo-'));
  const credentials = { accessKeyId: 'AKIADEMODEMODEMODEMO', secretAccessKey: randomBytes(30).toString('base64') };
  const environment: NodeJS.ProcessEnv = {
    COFFER_DATA: join(folder, 'data'),
    COFFER_PORT: '0',
    COFFER_LOG_LEVEL: 'error',
    COFFER_ROOT_KEY_FILE: join(folder, 'root.key'),
    COFFER_ROOT_ACCESS_KEY_ID: credentials.accessKeyId,
    COFFER_ROOT_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  };
  const config = readConfig({}, environment);
  const server = await Server.start(config, environment, createLogger(config.logLevel));
  const stage = createStage(server.endpoint, credentials, config.accountId);
  try {
    console.log(`Coffer runs at ${server.endpoint}, for this demo only; its data folder is ${config.dataFolder}.`);
    const hasHeld = await runDemo(stage, {
      ...source,
      isOwn: video !== undefined,
      dataFolder: config.dataFolder,
      secrets: [credentials.secretAccessKey],
    });
    if (!hasHeld) process.exitCode = 1;
    if (options.keep === true) await waitForInterrupt(server.endpoint, credentials);
  } finally {
    stage.close();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function waitForInterrupt(
  endpoint: string,
  credentials: { readonly accessKeyId: string; readonly secretAccessKey: string },
) {
  console.log('\nThe server keeps running until Ctrl-C. In another shell:');
  console.log(`  export AWS_ENDPOINT_URL=${endpoint} AWS_DEFAULT_REGION=us-east-1`);
  console.log(
    `  export AWS_ACCESS_KEY_ID=${credentials.accessKeyId} AWS_SECRET_ACCESS_KEY='${credentials.secretAccessKey}'`,
  );
  await new Promise<void>((resolve) => process.once('SIGINT', () => resolve()));
}
