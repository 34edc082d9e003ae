import { type CommandLineOptions, readConfig, unknownSettings } from '../config.ts';
import { createLogger } from '../logger.ts';
import type { Server } from '../server.ts';
import { shellWord } from '../shell-word.ts';

/** Runs the platform until SIGTERM or SIGINT. */
export async function start(options: CommandLineOptions): Promise<void> {
  const config = readConfig(options, process.env);
  const logger = createLogger(config.logLevel);
  for (const name of unknownSettings(process.env)) logger.warn({ name }, 'this variable is no setting of Coffer');
  const stopping = new Promise<void>((resolve) => {
    onSignals(() => {
      resolve();
      // A second signal ends at once.
      onSignals(() => process.exit(1));
    });
  });
  // Loaded when the settings are known to be good: it is most of the code.
  const { Server } = await import('../server.ts');
  const server = await Server.start(config, process.env, logger, (notice) => console.log(notice));
  console.log(greeting(server));
  await stopping;
  logger.info({}, 'stopping');
  await server.stop();
}

function onSignals(listener: () => void): void {
  const signals = ['SIGTERM', 'SIGINT'] as const;
  const once = () => {
    for (const signal of signals) process.off(signal, once);
    listener();
  };
  for (const signal of signals) process.on(signal, once);
}

function greeting(server: Server): string {
  const data = server.config.dataFolder;
  const option = process.env['COFFER_DATA'] === data ? '' : ` --data ${shellWord(data)}`;
  return [
    `Coffer is ready at ${server.endpoint} (data in ${data}).`,
    `Use it from another shell:  eval "$(npx coffer env${option})"  and then any AWS tool, such as: aws s3 ls`,
  ].join('\n');
}
