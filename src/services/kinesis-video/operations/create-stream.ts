import { CreateStream$, type CreateStreamInput, type CreateStreamOutput } from '@aws-sdk/client-kinesis-video';
import { operation } from '#kernel/operation.ts';
import type { KinesisVideoContext } from '../context.ts';
import { checkRetention } from '../domain/retention.ts';
import { streamArn } from '../domain/stream-record.ts';
import { newVersion } from '../domain/stream-version.ts';
import { checkTags } from '../domain/tags.ts';
import { resourceInUse } from '../errors.ts';
import { findStream } from '../store.ts';
import { accountOfCaller } from '../streams.ts';

/**
 * A stream is ACTIVE when the answer comes. Its key is not looked at: it may not exist, be another account's, or be
 * refused to the caller; PutMedia and GetMedia are the first to ask for it.
 */
export const createStream = operation<KinesisVideoContext, CreateStreamInput, CreateStreamOutput>(CreateStream$, {
  authorize(input, call) {
    return [
      {
        action: 'kinesisvideo:CreateStream',
        resource: streamArn(accountOfCaller(call.caller), call.region, input.StreamName ?? '', call.now),
        requestTags: checkTags(input.Tags),
      },
    ];
  },
  async handle(input, call, { store, randomness }) {
    const account = accountOfCaller(call.caller);
    const { region, now } = call;
    const name = input.StreamName ?? '';
    const retentionHours = checkRetention(input.DataRetentionInHours ?? 0, 'DataRetentionInHours');
    await store.write(async (transaction) => {
      if ((await findStream(transaction, account, region, name)) !== undefined) {
        throw resourceInUse(`The stream ${name} already exists.`);
      }
      await transaction
        .insertInto('kinesis_video_stream')
        .values({
          id: randomness.uuid(),
          account,
          region,
          name,
          created_at: now,
          deleted_at: null,
          version: newVersion(randomness),
          device_name: input.DeviceName ?? null,
          media_type: input.MediaType ?? null,
          kms_key_id: input.KmsKeyId ?? null,
          retention_hours: retentionHours,
          storage_tier: input.StreamStorageConfiguration?.DefaultStorageTier ?? 'HOT',
          tags: JSON.stringify(input.Tags ?? {}),
          image_generation: null,
          notification: null,
        })
        .execute();
    });
    return { StreamARN: streamArn(account, region, name, now) };
  },
});
