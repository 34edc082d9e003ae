/** What access logs call operations whose resource is not what their name says. */
const RESOURCES: Readonly<Record<string, string>> = {
  CreateBucket: 'PUT.BUCKET',
  DeleteBucket: 'DELETE.BUCKET',
  HeadBucket: 'HEAD.BUCKET',
  ListObjects: 'GET.BUCKET',
  ListObjectsV2: 'GET.BUCKET',
  ListObjectVersions: 'GET.BUCKETVERSIONS',
  ListMultipartUploads: 'GET.UPLOADS',
  ListParts: 'GET.UPLOAD',
  CreateMultipartUpload: 'POST.UPLOADS',
  UploadPart: 'PUT.PART',
  UploadPartCopy: 'COPY.PART',
  CompleteMultipartUpload: 'POST.UPLOAD',
  AbortMultipartUpload: 'DELETE.UPLOAD',
  CopyObject: 'COPY.OBJECT',
  RenameObject: 'PUT.OBJECT_RENAME',
  DeleteObjects: 'POST.MULTI_OBJECT_DELETE',
  GetBucketPolicy: 'GET.BUCKETPOLICY',
  PutBucketPolicy: 'PUT.BUCKETPOLICY',
  DeleteBucketPolicy: 'DELETE.BUCKETPOLICY',
  GetBucketPolicyStatus: 'GET.POLICY_STATUS',
  GetBucketLogging: 'GET.LOGGING_STATUS',
  PutBucketLogging: 'PUT.LOGGING_STATUS',
  GetBucketNotificationConfiguration: 'GET.NOTIFICATION',
  PutBucketNotificationConfiguration: 'PUT.NOTIFICATION',
  GetBucketLifecycleConfiguration: 'GET.LIFECYCLE',
  PutBucketLifecycleConfiguration: 'PUT.LIFECYCLE',
  ListBucketInventoryConfigurations: 'GET.INVENTORY',
  GetObjectAcl: 'GET.ACL',
  PutObjectAcl: 'PUT.ACL',
  GetObjectLockConfiguration: 'GET.OBJECT_LOCK_CONFIGURATION',
  PutObjectLockConfiguration: 'PUT.OBJECT_LOCK_CONFIGURATION',
  GetObjectRetention: 'GET.OBJECT_LOCK_RETENTION',
  PutObjectRetention: 'PUT.OBJECT_LOCK_RETENTION',
  GetObjectLegalHold: 'GET.OBJECT_LOCK_LEGALHOLD',
  PutObjectLegalHold: 'PUT.OBJECT_LOCK_LEGALHOLD',
  preflight: 'OPTIONS.PREFLIGHT',
};

/** As access logs call an operation: `REST.GET.OBJECT`. */
export function logOperation(operation: string, isForm: boolean): string {
  if (isForm) return 'REST.POST.OBJECT';
  const known = RESOURCES[operation];
  if (known !== undefined) return `REST.${known}`;
  const [, verb = '', rest = ''] = /^([A-Z][a-z]+)(?:Bucket(?=[A-Z]))?(\w*)$/.exec(operation) ?? [];
  const resource = rest.replace(/Configuration$/, '').replace(/(?<=[a-z0-9])(?=[A-Z])/g, '_');
  return `REST.${verb.toUpperCase()}.${resource.toUpperCase()}`;
}
