import { type CommandLineOptions, ConfigError } from '../config.ts';
import { runOperatorCommand } from '../operator-command.ts';

export async function accountCreate(
  id: string | undefined,
  options: CommandLineOptions & { readonly count: string },
): Promise<void> {
  const request = { command: 'account-create', count: readCount(options.count) } as const;
  await printItems(runOperatorCommand(options, id === undefined ? request : { ...request, accountId: id }));
}

export async function accountList(options: CommandLineOptions): Promise<void> {
  await printItems(runOperatorCommand(options, { command: 'account-list' }));
}

export async function accountDelete(accountId: string, options: CommandLineOptions): Promise<void> {
  await printItems(runOperatorCommand(options, { command: 'account-delete', accountId }));
}

function readCount(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new ConfigError(`--count is a whole number from 1, not '${text}'.`);
  return Number(text);
}

async function printItems(items: AsyncIterable<unknown>): Promise<void> {
  for await (const item of items) console.log(JSON.stringify(item));
}
