import {
  DeleteBucketInventoryConfiguration$,
  type DeleteBucketInventoryConfigurationRequest,
  GetBucketInventoryConfiguration$,
  type GetBucketInventoryConfigurationOutput,
  type GetBucketInventoryConfigurationRequest,
  type InventoryConfiguration,
  ListBucketInventoryConfigurations$,
  type ListBucketInventoryConfigurationsOutput,
  type ListBucketInventoryConfigurationsRequest,
  PutBucketInventoryConfiguration$,
  type PutBucketInventoryConfigurationRequest,
} from '@aws-sdk/client-s3';
import { operation } from '#kernel/operation.ts';
import { bucketAccess } from '../access.ts';
import type { S3Context } from '../context.ts';
import { destinationOf, readInventory } from '../domain/inventory-settings.ts';
import { invalidArgument, invalidInventoryDestination } from '../errors.ts';

const PUT = 's3:PutInventoryConfiguration';
const GET = 's3:GetInventoryConfiguration';
const PAGE = 100;

export const putBucketInventoryConfiguration = operation<
  S3Context,
  PutBucketInventoryConfigurationRequest,
  Record<string, never>
>(PutBucketInventoryConfiguration$, {
  isAuthenticationRequired: false,
  authorize: async (input, call, s3) => {
    const fields = input.InventoryConfiguration?.OptionalFields;
    return [await bucketAccess(s3, call, input, PUT, { 's3:InventoryAccessibleOptionalFields': fields })];
  },
  async handle(input, call, s3) {
    const configuration = readInventory(input.Id, input.InventoryConfiguration);
    const source = await s3.scope.bucket(call, input.Bucket ?? '');
    const found = await s3.store.findBucket(destinationOf(configuration));
    const destination = found && s3.seal.checkBucket(found);
    // Whether its policy lets reports in is seen when they are written: it may be put later.
    if (destination === undefined || destination.region !== source.region) throw invalidInventoryDestination();
    await s3.inventories.put(source.name, configuration.Id ?? '', configuration);
    // AWS's answer, although its model has 200.
    call.reply.status = 204;
    return {};
  },
});

export const getBucketInventoryConfiguration = operation<
  S3Context,
  GetBucketInventoryConfigurationRequest,
  GetBucketInventoryConfigurationOutput
>(GetBucketInventoryConfiguration$, {
  isAuthenticationRequired: false,
  authorize: async (input, call, s3) => [await bucketAccess(s3, call, input, GET)],
  async handle(input, _call, s3) {
    return { InventoryConfiguration: await s3.inventories.get(input.Bucket ?? '', input.Id ?? '') };
  },
});

export const listBucketInventoryConfigurations = operation<
  S3Context,
  ListBucketInventoryConfigurationsRequest,
  ListBucketInventoryConfigurationsOutput
>(ListBucketInventoryConfigurations$, {
  isAuthenticationRequired: false,
  authorize: async (input, call, s3) => [await bucketAccess(s3, call, input, GET)],
  async handle(input, _call, s3) {
    const { ContinuationToken: token } = input;
    const after = token === undefined ? '' : Buffer.from(token, 'base64url').toString();
    if (token !== undefined && Buffer.from(after).toString('base64url') !== token) {
      throw invalidArgument('The continuation token provided is incorrect', 'continuation-token');
    }
    const rows = await s3.inventories.list(input.Bucket ?? '', after, PAGE + 1);
    const page = rows.slice(0, PAGE);
    const isTruncated = rows.length > PAGE;
    return {
      ...(token !== undefined && { ContinuationToken: token }),
      InventoryConfigurationList: page.map(({ configuration }) => JSON.parse(configuration) as InventoryConfiguration),
      IsTruncated: isTruncated,
      ...(isTruncated && { NextContinuationToken: Buffer.from(page.at(-1)?.id ?? '').toString('base64url') }),
    };
  },
});

export const deleteBucketInventoryConfiguration = operation<
  S3Context,
  DeleteBucketInventoryConfigurationRequest,
  Record<string, never>
>(DeleteBucketInventoryConfiguration$, {
  isAuthenticationRequired: false,
  authorize: async (input, call, s3) => [await bucketAccess(s3, call, input, PUT)],
  async handle(input, _call, s3) {
    await s3.inventories.remove(input.Bucket ?? '', input.Id ?? '');
    return {};
  },
});
