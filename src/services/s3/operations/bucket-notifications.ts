import {
  GetBucketNotificationConfiguration$,
  type GetBucketNotificationConfigurationRequest,
  type NotificationConfiguration,
  PutBucketNotificationConfiguration$,
  type PutBucketNotificationConfigurationRequest,
} from '@aws-sdk/client-s3';
import { operation } from '#kernel/operation.ts';
import { bucketAccess } from '../access.ts';
import type { S3Context } from '../context.ts';
import { settingsOf } from '../domain/bucket-settings.ts';
import { notificationsAnswer, readNotifications } from '../domain/notification-rules.ts';
import { checkDestination } from '../notifications/destinations.ts';
import { changeSettings } from './set-bucket.ts';

export const putBucketNotificationConfiguration = operation<
  S3Context,
  PutBucketNotificationConfigurationRequest,
  Record<string, never>
>(PutBucketNotificationConfiguration$, {
  isAuthenticationRequired: false,
  authorize: async (input, call, s3) => [await bucketAccess(s3, call, input, 's3:PutBucketNotification')],
  async handle(input, call, s3) {
    const bucket = await s3.scope.bucket(call, input.Bucket ?? '');
    const notifications = readNotifications(input.NotificationConfiguration ?? {}, s3.randomness, (arn) =>
      checkDestination(arn, bucket, s3.webhookNames),
    );
    await changeSettings(s3, bucket.name, { notifications }, async (transaction) => {
      const destinations = new Set(notifications?.rules.map(({ destination }) => destination));
      for (const arn of destinations) await s3.announcer.test(transaction, bucket, arn, call.requestId);
    });
    return {};
  },
});

export const getBucketNotificationConfiguration = operation<
  S3Context,
  GetBucketNotificationConfigurationRequest,
  NotificationConfiguration
>(GetBucketNotificationConfiguration$, {
  isAuthenticationRequired: false,
  authorize: async (input, call, s3) => [await bucketAccess(s3, call, input, 's3:GetBucketNotification')],
  async handle(input, call, s3) {
    return notificationsAnswer(settingsOf(await s3.scope.bucket(call, input.Bucket ?? '')).notifications);
  },
});
