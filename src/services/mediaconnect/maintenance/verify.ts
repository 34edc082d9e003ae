import { RowDamageError } from '#storage/row-seal.ts';
import type { MediaConnectContext } from '../context.ts';
import { portUsesOf } from '../domain/port-uses.ts';

interface FlowDamage {
  /** A flow's ARN. */
  readonly what: string;
  readonly damage: string;
}

/** Reads every flow's record as it is read to be run. @returns `undefined` for each that is sound */
export async function* verifyFlows({ store }: MediaConnectContext): AsyncGenerator<FlowDamage | undefined> {
  for (const { key, arn } of await store.keysUnchecked()) {
    try {
      const flow = await store.find(key);
      if (flow !== undefined) portUsesOf(flow.document);
      yield undefined;
    } catch (error) {
      // Changed records are told by the check of all seals.
      yield error instanceof RowDamageError ? undefined : { what: arn, damage: 'its record cannot be read' };
    }
  }
}
