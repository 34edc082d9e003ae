import type { CommandLineOptions } from '../config.ts';
import { runOperatorCommand } from '../operator-command.ts';
import type { LeftBehind, RewrapReport } from '../rewrap.ts';

/** Puts a bucket under another KMS key. The exit status is 1 when something could not be moved. */
export async function rewrap(
  options: CommandLineOptions & { readonly bucket: string; readonly key: string; readonly json?: boolean },
): Promise<void> {
  const { bucket, key } = options;
  const left: LeftBehind[] = [];
  let report: RewrapReport | undefined;
  for await (const item of runOperatorCommand(options, { command: 'rewrap', bucket, key })) {
    const value = item as LeftBehind | RewrapReport;
    if (!('left' in value)) report = value;
    else if (options.json === true) left.push(value);
    else console.log(`LEFT  ${value.what}: ${value.left}`);
  }
  if (options.json === true) console.log(JSON.stringify({ ...report, left }, null, 2));
  else if (report !== undefined) {
    console.log(`${String(report.moved).padStart(9)}  moved`);
    console.log(`${String(report.already).padStart(9)}  were under the key`);
    if (report.customer > 0) console.log(`${String(report.customer).padStart(9)}  under customers’ own keys, left`);
    if (report.failed > 0) console.log(`${String(report.failed).padStart(9)}  could not be moved`);
  }
  if (report === undefined || report.failed > 0) process.exitCode = 1;
}
