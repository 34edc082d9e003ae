import {
  GetObjectAttributes$,
  type GetObjectAttributesOutput,
  type GetObjectAttributesRequest,
} from '@aws-sdk/client-s3';
import { operation } from '#kernel/operation.ts';
import { existingObjectAccess, requireObject, versionAnswer } from '../access.ts';
import type { S3Context } from '../context.ts';
import type { StoredPart } from '../domain/object-facts.ts';
import { invalidArgument } from '../errors.ts';
import { checksumMembers, openChecksum } from '../keys/checksum-seal.ts';
import type { StoredObject } from '../objects.ts';
import { placeOf } from './get-object.ts';
import { customerKeyFor, openDataKey } from './start-encryption.ts';

export const getObjectAttributes = operation<S3Context, GetObjectAttributesRequest, GetObjectAttributesOutput>(
  GetObjectAttributes$,
  {
    isAuthenticationRequired: false,
    isDataEvent: true,
    authorize: async (input, call, s3) => [
      await existingObjectAccess(s3, call, input, 's3:GetObject'),
      await existingObjectAccess(s3, call, input, 's3:GetObjectAttributes'),
    ],
    async handle(input, call, s3) {
      const object = await requireObject(s3, call, input);
      const { row, facts } = object;
      customerKeyFor(s3, call, facts.encryption, input);
      const wanted = new Set<string>(input.ObjectAttributes ?? []);
      const needsKey = wanted.has('Checksum') || wanted.has('ObjectParts');
      const dataKey = needsKey ? await openDataKey(s3, call, facts.encryption, placeOf(object), input) : undefined;
      try {
        return {
          LastModified: new Date(row.modified_at),
          ...(await versionAnswer(s3, call, object)),
          ...(wanted.has('ETag') && { ETag: row.etag }),
          ...(wanted.has('ObjectSize') && { ObjectSize: row.size }),
          ...(wanted.has('StorageClass') && { StorageClass: facts.storageClass ?? ('STANDARD' as const) }),
          ...(wanted.has('Checksum') && checksumOf(object, dataKey)),
          ...(wanted.has('ObjectParts') && partsOf(s3, object, input, dataKey)),
        };
      } finally {
        dataKey?.fill(0);
      }
    },
  },
);

function checksumOf({ row, facts }: StoredObject, dataKey: Buffer | undefined) {
  if (facts.checksum === undefined) return {};
  const checksum = openChecksum(facts.checksum, dataKey, row.id);
  return { Checksum: { ...checksumMembers(checksum), ChecksumType: checksum.kind } };
}

/** Parts are listed one by one only where each has a checksum of its own (API reference, GetObjectAttributes). */
function partsOf(s3: S3Context, object: StoredObject, input: GetObjectAttributesRequest, dataKey: Buffer | undefined) {
  const parts = s3.objects.partsOf(object);
  if (parts.length === 0) return {};
  const limit = Math.min(input.MaxParts ?? 1000, 1000);
  const marker = Number(input.PartNumberMarker ?? 0);
  if (!Number.isInteger(marker) || marker < 0 || limit < 0) {
    throw invalidArgument('Argument part-number-marker must be an integer between 0 and 2147483647');
  }
  const rest = parts.filter((part) => part.number > marker);
  const page = rest.slice(0, limit);
  return {
    ObjectParts: {
      TotalPartsCount: parts.length,
      PartNumberMarker: String(marker),
      NextPartNumberMarker: String(page.at(-1)?.number ?? 0),
      MaxParts: limit,
      IsTruncated: rest.length > page.length,
      ...(object.facts.checksum?.kind === 'COMPOSITE' && {
        Parts: page.map((part) => ({
          PartNumber: part.number,
          Size: part.size,
          ...partChecksum(part, dataKey, object.row.id),
        })),
      }),
    },
  };
}

function partChecksum({ checksum }: StoredPart, dataKey: Buffer | undefined, objectId: string) {
  return checksum === undefined ? {} : checksumMembers(openChecksum(checksum, dataKey, objectId));
}
