import * as sdk from '@aws-sdk/client-s3';
import { operationSchemasOf, type Service } from '#kernel/service.ts';
import { bucketAclConstraints } from './acl/acl.ts';
import { aclOperations } from './acl/acl-operations.ts';
import {
  deleteBucketOwnershipControls,
  getBucketOwnershipControls,
  putBucketOwnershipControls,
} from './acl/ownership-controls.ts';
import type { S3Context } from './context.ts';
import { checkBody } from './domain/body-check.ts';
import { crossOriginOf } from './cross-origin.ts';
import { s3Errors } from './errors.ts';
import { constraints } from './generated/constraints.ts';
import { abortMultipartUpload } from './operations/abort-multipart-upload.ts';
import { deleteBucketCors, getBucketCors, putBucketCors } from './operations/bucket-cors.ts';
import { deleteBucketEncryption, getBucketEncryption, putBucketEncryption } from './operations/bucket-encryption.ts';
import {
  deleteBucketInventoryConfiguration,
  getBucketInventoryConfiguration,
  listBucketInventoryConfigurations,
  putBucketInventoryConfiguration,
} from './operations/bucket-inventory.ts';
import { getBucketLogging, putBucketLogging } from './operations/bucket-logging.ts';
import { getBucketAbac, putBucketAbac } from './operations/bucket-abac.ts';
import { getBucketRequestPayment, putBucketRequestPayment } from './operations/bucket-request-payment.ts';
import {
  deleteBucketPolicy,
  getBucketPolicy,
  getBucketPolicyStatus,
  putBucketPolicy,
} from './operations/bucket-policy.ts';
import {
  deleteBucketLifecycle,
  getBucketLifecycleConfiguration,
  putBucketLifecycleConfiguration,
} from './operations/bucket-lifecycle.ts';
import {
  getBucketNotificationConfiguration,
  putBucketNotificationConfiguration,
} from './operations/bucket-notifications.ts';
import { getBucketVersioning, putBucketVersioning } from './operations/bucket-versioning.ts';
import { deleteBucket, getBucketLocation, headBucket, listBuckets } from './operations/buckets.ts';
import { completeMultipartUpload } from './operations/complete-multipart-upload.ts';
import { copyObject } from './operations/copy-object.ts';
import { createBucket } from './operations/create-bucket.ts';
import { createMultipartUpload } from './operations/create-multipart-upload.ts';
import { deleteObject, deleteObjects } from './operations/delete-object.ts';
import { getObject } from './operations/get-object.ts';
import { getObjectAttributes } from './operations/get-object-attributes.ts';
import { headObject } from './operations/head-object.ts';
import { listObjects, listObjectsV2 } from './operations/list-objects.ts';
import { listObjectVersions } from './operations/list-object-versions.ts';
import { listMultipartUploads, listParts } from './operations/list-parts.ts';
import { objectLockOperations } from './operations/object-lock.ts';
import { putObject } from './operations/put-object.ts';
import { renameObject } from './operations/rename-object.ts';
import { updateObjectEncryption } from './operations/update-object-encryption.ts';
import {
  deletePublicAccessBlock,
  getPublicAccessBlock,
  putPublicAccessBlock,
} from './operations/public-access-block.ts';
import {
  deleteBucketTagging,
  deleteObjectTagging,
  getBucketTagging,
  getObjectTagging,
  putBucketTagging,
  putObjectTagging,
} from './operations/tagging.ts';
import { websiteOf } from './website/bucket-website.ts';
import { websiteOperations } from './website/website-operations.ts';
import { uploadPart, uploadPartCopy } from './operations/upload-part.ts';

export function s3Service(context: S3Context): Service<S3Context> {
  return {
    name: 's3',
    eventSource: 's3.amazonaws.com',
    signingNames: ['s3'],
    protocol: 'restXml',
    xmlNamespace: 'http://s3.amazonaws.com/doc/2006-03-01/',
    schemas: operationSchemasOf(sdk),
    operations: [
      createBucket,
      deleteBucket,
      headBucket,
      listBuckets,
      getBucketLocation,
      putObject,
      getObject,
      headObject,
      deleteObject,
      deleteObjects,
      copyObject,
      renameObject,
      updateObjectEncryption,
      listObjects,
      listObjectsV2,
      createMultipartUpload,
      uploadPart,
      uploadPartCopy,
      completeMultipartUpload,
      abortMultipartUpload,
      listParts,
      listMultipartUploads,
      getObjectAttributes,
      putBucketPolicy,
      getBucketPolicy,
      deleteBucketPolicy,
      getBucketPolicyStatus,
      putBucketEncryption,
      getBucketEncryption,
      deleteBucketEncryption,
      putObjectTagging,
      getObjectTagging,
      deleteObjectTagging,
      putBucketTagging,
      getBucketTagging,
      deleteBucketTagging,
      putBucketLifecycleConfiguration,
      getBucketLifecycleConfiguration,
      deleteBucketLifecycle,
      putBucketInventoryConfiguration,
      getBucketInventoryConfiguration,
      listBucketInventoryConfigurations,
      deleteBucketInventoryConfiguration,
      putBucketLogging,
      getBucketLogging,
      putBucketNotificationConfiguration,
      getBucketNotificationConfiguration,
      putBucketVersioning,
      getBucketVersioning,
      listObjectVersions,
      ...objectLockOperations,
      ...aclOperations,
      putBucketOwnershipControls,
      getBucketOwnershipControls,
      deleteBucketOwnershipControls,
      putBucketRequestPayment,
      getBucketRequestPayment,
      ...websiteOperations,
      putBucketAbac,
      getBucketAbac,
      putBucketCors,
      getBucketCors,
      deleteBucketCors,
      putPublicAccessBlock,
      getPublicAccessBlock,
      deletePublicAccessBlock,
    ],
    context,
    constraints: { ...constraints, ...bucketAclConstraints },
    errors: s3Errors,
    crossOrigin: crossOriginOf(context),
    website: websiteOf(context),
    observe: (exchange) => context.accessLog.observe(exchange),
    checkBody,
  };
}
