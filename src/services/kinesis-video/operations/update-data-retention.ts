import {
  UpdateDataRetention$,
  type UpdateDataRetentionInput,
  type UpdateDataRetentionOutput,
} from '@aws-sdk/client-kinesis-video';
import { operation } from '#kernel/operation.ts';
import type { KinesisVideoContext } from '../context.ts';
import { checkRetention } from '../domain/retention.ts';

/** Acts on the fragments that are there at once: what the shorter retention no longer covers is not seen any more. */
export const updateDataRetention = operation<KinesisVideoContext, UpdateDataRetentionInput, UpdateDataRetentionOutput>(
  UpdateDataRetention$,
  {
    authorize: (input, call, { streams }) => streams.access('kinesisvideo:UpdateDataRetention', input, call),
    async handle(input, call, { streams, janitor }) {
      const hours = input.DataRetentionChangeInHours ?? 0;
      const change = input.Operation === 'DECREASE_DATA_RETENTION' ? -hours : hours;
      const stream = await streams.change(input, call, input.CurrentVersion, (row) => ({
        retention_hours: checkRetention(row.retention_hours + change, 'DataRetentionChangeInHours'),
      }));
      janitor.removeExpiredSoon(stream.id);
      return {};
    },
  },
);
