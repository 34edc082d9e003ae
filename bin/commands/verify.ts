import type { CommandLineOptions } from '../config.ts';
import { runOperatorCommand } from '../operator-command.ts';
import type { Damage, VerifyReport } from '../verify.ts';

/** Checks all that is stored encrypted. The exit status is 1 when something is damaged. */
export async function verify(
  options: CommandLineOptions & { readonly json?: boolean; readonly bucket?: string },
): Promise<void> {
  const damages: Damage[] = [];
  let report: VerifyReport | undefined;
  for await (const item of runOperatorCommand(options, {
    command: 'verify',
    ...(options.bucket !== undefined && { bucket: options.bucket }),
  })) {
    const value = item as Damage | VerifyReport;
    if ('damage' in value) {
      damages.push(value);
      if (options.json !== true) console.log(`DAMAGED  ${value.what}: ${value.damage}`);
    } else {
      report = value;
    }
  }
  if (options.json === true) console.log(JSON.stringify({ ...report, damages }, null, 2));
  else printReport(report);
  if (damages.length > 0) process.exitCode = 1;
}

function printReport(report: VerifyReport | undefined): void {
  if (report === undefined) return;
  for (const [what, count] of Object.entries(report.checked)) console.log(`${String(count).padStart(9)}  ${what}`);
  console.log(report.damaged === 0 ? 'No damage was found.' : `${report.damaged} damaged.`);
}
