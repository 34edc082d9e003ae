import { type CommandLineOptions, readConfig } from '../config.ts';
import { createLogger } from '../logger.ts';
import { Server } from '../server.ts';

/** Runs the platform until SIGTERM or SIGINT. */
export async function start(options: CommandLineOptions): Promise<void> {
  const config = readConfig(options, process.env);
  const logger = createLogger(config.logLevel);
  const server = await Server.start(config, process.env, logger);
  console.log(greeting(server));
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
  // A second signal ends at once.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(1));
  logger.info({}, 'stopping');
  await server.stop();
}

function greeting(server: Server): string {
  const { config } = server;
  const data = config.dataFolder;
  return [
    ...server.notices,
    `Coffer is ready at ${server.endpoint} (account ${server.accountId}, data in ${data}).`,
    `Use it from another shell:  eval "$(npx coffer env${process.env['COFFER_DATA'] === undefined ? ` --data ${data}` : ''})"  and then any AWS tool, such as: aws s3 ls`,
  ].join('\n');
}
