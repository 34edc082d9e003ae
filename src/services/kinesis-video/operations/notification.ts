import {
  DescribeNotificationConfiguration$,
  type DescribeNotificationConfigurationInput,
  type DescribeNotificationConfigurationOutput,
  UpdateNotificationConfiguration$,
  type UpdateNotificationConfigurationInput,
  type UpdateNotificationConfigurationOutput,
} from '@aws-sdk/client-kinesis-video';
import { operation } from '#kernel/operation.ts';
import type { KinesisVideoContext } from '../context.ts';
import { invalidArgument, noDataRetention } from '../errors.ts';

export const describeNotificationConfiguration = operation<
  KinesisVideoContext,
  DescribeNotificationConfigurationInput,
  DescribeNotificationConfigurationOutput
>(DescribeNotificationConfiguration$, {
  authorize: (input, call, { streams }) =>
    streams.access('kinesisvideo:DescribeNotificationConfiguration', input, call),
  async handle(input, call, { streams }) {
    const { notification } = await streams.find(input, call);
    return { ...(notification !== undefined && { NotificationConfiguration: notification }) };
  },
});

/** Without a configuration the stream's is removed. */
export const updateNotificationConfiguration = operation<
  KinesisVideoContext,
  UpdateNotificationConfigurationInput,
  UpdateNotificationConfigurationOutput
>(UpdateNotificationConfiguration$, {
  authorize: (input, call, { streams }) => streams.access('kinesisvideo:UpdateNotificationConfiguration', input, call),
  async handle(input, call, { streams }) {
    const configuration = input.NotificationConfiguration;
    if (configuration?.Status === 'ENABLED') {
      throw invalidArgument(
        'NotificationConfiguration.Status ENABLED is not implemented: Coffer sends no notifications to SNS.',
      );
    }
    await streams.change(input, call, undefined, (row) => {
      if (configuration === undefined) return { notification: null };
      if (row.retention_hours === 0) throw noDataRetention();
      return { notification: JSON.stringify(configuration) };
    });
    return {};
  },
});
