import { type CommandLineOptions, readConfig, unknownSettings } from '../config.ts';
import { launcherGone } from '../launcher-pipe.ts';
import { createLogger } from '../logger.ts';
import type { Server } from '../server.ts';
import { shellWord } from '../shell-word.ts';

/** Signals that come so soon after one another are one. */
const SAME_SIGNAL_MS = 300;

/** Runs the platform until SIGTERM or SIGINT, or until the launcher that started it is gone. */
export async function start(options: CommandLineOptions): Promise<void> {
  const orphaned = launcherGone();
  const config = readConfig(options, process.env);
  const logger = createLogger(config.logLevel);
  for (const name of unknownSettings(process.env)) logger.warn({ name }, 'this variable is no setting of Coffer');
  const stopping = firstSignal();
  // Loaded when the settings are known to be good: it is most of the code.
  const { Server } = await import('../server.ts');
  const server = await Server.start(config, process.env, logger, (notice) => console.log(notice));
  console.log(greeting(server));
  const isOrphan = await Promise.race([stopping.then(() => false), orphaned.then(() => true)]);
  logger.info({}, isOrphan ? 'stopping: the process that started the server is gone' : 'stopping');
  await server.stop();
}

/** Resolves at the first signal to end; a second one ends the process at once. */
function firstSignal(): Promise<void> {
  return new Promise((resolve) => {
    let first: number | undefined;
    const onSignal = () => {
      first ??= performance.now();
      // Ctrl-C reaches the whole process group, and the launcher passes it on: that is one signal, not two.
      if (performance.now() - first > SAME_SIGNAL_MS) process.exit(1);
      resolve();
    };
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, onSignal);
  });
}

function greeting(server: Server): string {
  const data = server.config.dataFolder;
  const option = process.env['COFFER_DATA'] === data ? '' : ` --data ${shellWord(data)}`;
  return [
    `Coffer is ready at ${server.endpoint} (data in ${data}).`,
    ...(server.metricsAddress === undefined ? [] : [`Metrics are at ${server.metricsAddress}.`]),
    `Use it from another shell:  eval "$(npx coffer env${option})"  and then any AWS tool, such as: aws s3 ls`,
  ].join('\n');
}
