import type { Service } from '#kernel/service.ts';
import { ServiceError } from '#kernel/service-error.ts';
import type { S3Context } from '../context.ts';
import { checkBody } from '../domain/body-check.ts';
import { s3Errors } from '../errors.ts';
import { deletePublicAccessBlock, getPublicAccessBlock, putPublicAccessBlock } from './account-block.ts';
import { listTagsForResource, tagResource, untagResource } from './resource-tags.ts';
import { CONTROL_SCHEMAS } from './schemas.ts';

const accountId = { AccountId: { required: true, pattern: '^\\d{12}$' } } as const;
const resource = {
  ...accountId,
  ResourceArn: { required: true, max: 1011 },
} as const;

/** S3 Control: what is set for a whole account, and the tags of resources, at the same address as S3. */
export function s3ControlService(context: S3Context): Service<S3Context> {
  return {
    name: 's3-control',
    eventSource: 's3.amazonaws.com',
    signingNames: ['s3'],
    protocol: 'restXml',
    xmlNamespace: 'http://awss3control.amazonaws.com/doc/2018-08-20/',
    // A bucket may have the name of the path's beginning: all of S3 Control's requests, and none of S3's, have the header.
    pathPrefix: '/v20180820/',
    requiredHeader: 'x-amz-account-id',
    schemas: CONTROL_SCHEMAS,
    operations: [
      putPublicAccessBlock,
      getPublicAccessBlock,
      deletePublicAccessBlock,
      tagResource,
      untagResource,
      listTagsForResource,
    ],
    context,
    constraints: {
      PutPublicAccessBlockRequest: { ...accountId, PublicAccessBlockConfiguration: { required: true } },
      GetPublicAccessBlockRequest: accountId,
      DeletePublicAccessBlockRequest: accountId,
      TagResourceRequest: { ...resource, Tags: { required: true } },
      UntagResourceRequest: { ...resource, TagKeys: { required: true, max: 50 } },
      ListTagsForResourceRequest: resource,
    },
    errors: { ...s3Errors, unknownRoute },
    checkBody,
  };
}

function unknownRoute(): ServiceError {
  return new ServiceError('NotImplemented', 501, 'Coffer does not implement this operation of S3 Control.');
}
