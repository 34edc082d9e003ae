import type { CommandLineOptions } from '../config.ts';
import { runOperatorCommand } from '../operator-command.ts';

/** Prints what there is to know of a job that its owner has shared with the operators, in JSON. */
export async function mediaconvertSupportBundle(job: string, options: CommandLineOptions): Promise<void> {
  for await (const report of runOperatorCommand(options, { command: 'mediaconvert-support-bundle', job })) {
    console.log(JSON.stringify(report, null, 2));
  }
}
