import { type CommandLineOptions, readConfig } from './config.ts';
import { askServer, connectToServer } from './control-client.ts';
import type { ControlReply, ControlRequest } from './control-protocol.ts';
import { requireInstallation } from './installation.ts';
import { createLogger } from './logger.ts';
import { showProgress } from './progress.ts';

/**
 * Carries out an operator's command: through the server that runs on the data folder, or, where none does, on the
 * folder itself.
 *
 * @returns the items of the answer
 */
export async function* runOperatorCommand(
  options: CommandLineOptions,
  request: ControlRequest,
): AsyncGenerator<unknown> {
  const config = readConfig(options, process.env);
  const connection = await connectToServer(config.dataFolder);
  if (connection !== undefined) {
    try {
      yield* itemsOf(askServer(connection, request));
    } finally {
      connection.destroy();
    }
    return;
  }
  await requireInstallation(config.dataFolder);
  // Most of the code, which a command through a server does without.
  const { Platform } = await import('./platform.ts');
  const { Administration } = await import('./administration.ts');
  const platform = await Platform.open(config, process.env, createLogger('warn'));
  try {
    yield* itemsOf(new Administration(platform).run(request));
  } finally {
    await platform.close();
  }
}

async function* itemsOf(replies: AsyncIterable<ControlReply>): AsyncGenerator<unknown> {
  const progress = showProgress();
  try {
    for await (const reply of replies) {
      if (reply.type === 'progress') progress.update(reply.what, reply.done, reply.total);
      if (reply.type === 'item') {
        progress.clear();
        yield reply.value;
      }
    }
  } finally {
    progress.clear();
  }
}
