import type { ControlReply } from './control-protocol.ts';

/** One thing that does not read back as it was written. */
export interface Damage {
  /** What it is, as the operator knows it: a bucket and key, a KMS key's ARN. */
  readonly what: string;
  readonly damage: string;
}

export interface VerifyReport {
  /** What was checked → how many. */
  readonly checked: Readonly<Record<string, number>>;
  readonly damaged: number;
}

/** Checks things of one kind, one after another; `undefined` for each that is sound. */
export interface Check {
  /** In the plural: `key materials`. */
  readonly what: string;
  run(): AsyncIterable<Damage | undefined>;
}

const REPORT_EVERY = 100;

/** Runs checks and tells what they find, how far they are, and at the end the counts. */
export async function* runChecks(checks: readonly Check[]): AsyncGenerator<ControlReply> {
  const checked: Record<string, number> = {};
  let damaged = 0;
  for (const check of checks) {
    let count = 0;
    for await (const damage of check.run()) {
      count += 1;
      if (damage !== undefined) {
        damaged += 1;
        yield { type: 'item', value: damage };
      }
      if (count % REPORT_EVERY === 0) yield { type: 'progress', done: count, what: check.what };
    }
    checked[check.what] = count;
  }
  const report: VerifyReport = { checked, damaged };
  yield { type: 'item', value: report };
}
