import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { IAMClient } from '@aws-sdk/client-iam';
import {
  AbortMultipartUploadCommand,
  CreateBucketCommand,
  type CreateBucketCommandInput,
  CreateMultipartUploadCommand,
  DeleteBucketOwnershipControlsCommand,
  DeleteObjectCommand,
  GetBucketAclCommand,
  GetBucketOwnershipControlsCommand,
  GetObjectAclCommand,
  GetObjectCommand,
  type Grant,
  ListObjectsV2Command,
  type ObjectCannedACL,
  type ObjectOwnership,
  PutBucketAclCommand,
  PutBucketOwnershipControlsCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectAclCommand,
  PutObjectCommand,
  PutPublicAccessBlockCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { createAccounts, type TestAccount } from '../harness/accounts.ts';
import { allowing, makeUser } from '../harness/iam-people.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

const ALL = 'http://acs.amazonaws.com/groups/global/AllUsers';
const denied = { name: 'AccessDenied' };

describe('access control lists of S3', () => {
  let platform: TestPlatform;
  let owner: TestAccount;
  let writer: TestAccount;
  let root: S3Client;
  let other: S3Client;
  const clients: S3Client[] = [];
  const clientOf = (credentials: Parameters<TestPlatform['clientConfig']>[0]) => {
    const client = new S3Client(platform.clientConfig(credentials));
    clients.push(client);
    return client;
  };

  before(async () => {
    platform = await startTestPlatform();
    const [first, second] = await createAccounts(platform, 2);
    assert.ok(first && second);
    [owner, writer] = [first, second];
    root = clientOf(owner);
    other = clientOf(writer);
  });
  after(async () => {
    for (const client of clients) client.destroy();
    await platform.stop();
  });

  const make = async (
    Bucket: string,
    ObjectOwnership: ObjectOwnership,
    more: Partial<CreateBucketCommandInput> = {},
  ) => {
    await root.send(new CreateBucketCommand({ Bucket, ObjectOwnership, ...more }));
    return Bucket;
  };
  const put = (client: S3Client, Bucket: string, Key: string, ACL?: ObjectCannedACL) =>
    client.send(new PutObjectCommand({ Bucket, Key, Body: Key, ...(ACL && { ACL }) }));
  const read = async (client: S3Client, Bucket: string, Key: string, VersionId?: string) =>
    (await client.send(new GetObjectCommand({ Bucket, Key, VersionId }))).Body?.transformToString();
  const aclOf = async (client: S3Client, Bucket: string, Key: string, VersionId?: string) => {
    const { Owner, Grants = [] } = await client.send(new GetObjectAclCommand({ Bucket, Key, VersionId }));
    return { owner: Owner?.ID, grants: said(Grants) };
  };
  const said = (grants: readonly Grant[]) =>
    grants.map(({ Grantee, Permission }) => `${Grantee?.URI?.split('/').at(-1) ?? Grantee?.ID} ${Permission}`);
  const anonymously = async (path: string, init?: RequestInit) =>
    (await fetch(`${platform.endpoint}/${path}`, init)).status;
  const policy = (Bucket: string, ...Statement: object[]) =>
    root.send(new PutBucketPolicyCommand({ Bucket, Policy: JSON.stringify({ Version: '2012-10-17', Statement }) }));
  const all = (Bucket: string) => [`arn:aws:s3:::${Bucket}`, `arn:aws:s3:::${Bucket}/*`];
  const full = (account: TestAccount) => `${account.canonicalId} FULL_CONTROL`;
  const refuses = async (work: Promise<unknown>, name: string, status: number) =>
    await assert.rejects(work, (error: Error & { $metadata?: { httpStatusCode?: number } }) => {
      assert.deepEqual([error.name, error.$metadata?.httpStatusCode], [name, status], error.message);
      return true;
    });

  it('has no say in a bucket that is its owner’s, which is every bucket that nothing was said of', async () => {
    const Bucket = 'acl-enforced';
    await root.send(new CreateBucketCommand({ Bucket }));
    await put(root, Bucket, 'film', 'private');
    await put(root, Bucket, 'film', 'bucket-owner-full-control');
    const equal = new PutObjectCommand({ Bucket, Key: 'film', GrantFullControl: `id="${owner.canonicalId}"` });
    await root.send(equal);
    const controls = await root.send(new GetBucketOwnershipControlsCommand({ Bucket }));
    assert.equal(controls.OwnershipControls?.Rules?.[0]?.ObjectOwnership, 'BucketOwnerEnforced');
    await policy(Bucket, {
      Effect: 'Allow',
      Principal: { AWS: writer.accountId },
      Action: 's3:*',
      Resource: all(Bucket),
    });
    await put(other, Bucket, 'theirs', 'bucket-owner-full-control');
    assert.deepEqual(await aclOf(root, Bucket, 'theirs'), { owner: owner.canonicalId, grants: [full(owner)] });
    const isNot = ['AccessControlListNotSupported', 400] as const;
    await refuses(put(root, Bucket, 'film', 'public-read'), ...isNot);
    await refuses(put(other, Bucket, 'film', 'private'), ...isNot);
    await refuses(root.send(new PutObjectCommand({ Bucket, Key: 'a', GrantRead: `uri="${ALL}"` })), ...isNot);
    await refuses(root.send(new PutBucketAclCommand({ Bucket, ACL: 'private' })), ...isNot);
    await refuses(root.send(new PutObjectAclCommand({ Bucket, Key: 'film', ACL: 'private' })), ...isNot);
    await root.send(new PutObjectAclCommand({ Bucket, Key: 'film', ACL: 'bucket-owner-full-control' }));
    const ownership = ['InvalidBucketAclWithObjectOwnership', 400] as const;
    await refuses(root.send(new CreateBucketCommand({ Bucket: 'acl-none', ACL: 'public-read' })), ...ownership);
  });

  it('lets anybody read what is public-read, from the next request on, and no longer', async () => {
    const Bucket = await make('acl-public', 'ObjectWriter');
    await put(root, Bucket, 'film');
    assert.equal(await anonymously(`${Bucket}/film`), 403);
    await assert.rejects(read(other, Bucket, 'film'), denied);
    await root.send(new PutObjectAclCommand({ Bucket, Key: 'film', ACL: 'public-read' }));
    assert.equal(await anonymously(`${Bucket}/film`), 200);
    assert.equal(await read(other, Bucket, 'film'), 'film');
    assert.deepEqual((await aclOf(root, Bucket, 'film')).grants, [full(owner), 'AllUsers READ']);
    assert.equal(await anonymously(`${Bucket}/film?acl`), 403);
    assert.equal(await anonymously(`${Bucket}/film?tagging`), 403);
    assert.equal(await anonymously(`${Bucket}/film`, { method: 'PUT', body: 'mine' }), 403);
    assert.equal(await anonymously(Bucket), 403);
    await root.send(new PutObjectAclCommand({ Bucket, Key: 'film', ACL: 'authenticated-read' }));
    assert.equal(await anonymously(`${Bucket}/film`), 403);
    await read(other, Bucket, 'film');
    await root.send(new PutObjectAclCommand({ Bucket, Key: 'film', ACL: 'private' }));
    await assert.rejects(read(other, Bucket, 'film'), denied);
  });

  it('leaves to another account’s policies which of its users a grant to it reaches', async () => {
    const Bucket = await make('acl-users', 'ObjectWriter');
    await put(root, Bucket, 'film');
    const GrantRead = `id="${writer.canonicalId}"`;
    await root.send(new PutObjectAclCommand({ Bucket, Key: 'film', GrantRead }));
    const iam = new IAMClient(platform.clientConfig(writer));
    const silent = clientOf(await makeUser(iam, 'silent'));
    const reader = clientOf(await makeUser(iam, 'reader', allowing('s3:GetObject')));
    iam.destroy();
    await read(other, Bucket, 'film');
    await read(reader, Bucket, 'film');
    await assert.rejects(read(silent, Bucket, 'film'), denied);
    await policy(Bucket, { Effect: 'Deny', Principal: '*', Action: 's3:GetObject', Resource: all(Bucket) });
    await assert.rejects(read(other, Bucket, 'film'), denied);
    await assert.rejects(read(root, Bucket, 'film'), denied);
  });

  it('gives objects to their writers: the bucket’s owner reads them only as far as they let it', async () => {
    const Bucket = await make('acl-writers', 'ObjectWriter', { GrantWrite: `id="${writer.canonicalId}"` });
    await put(root, Bucket, 'own');
    await put(other, Bucket, 'theirs');
    assert.deepEqual(await aclOf(other, Bucket, 'theirs'), { owner: writer.canonicalId, grants: [full(writer)] });
    await policy(Bucket, { Effect: 'Allow', Principal: '*', Action: 's3:*', Resource: all(Bucket) });
    await assert.rejects(read(root, Bucket, 'theirs'), denied);
    assert.equal(await anonymously(`${Bucket}/theirs`), 403);
    assert.equal(await anonymously(`${Bucket}/own`), 200);
    const { Contents = [] } = await root.send(new ListObjectsV2Command({ Bucket, FetchOwner: true }));
    assert.deepEqual(
      Contents.map(({ Owner }) => Owner?.ID),
      [owner.canonicalId, writer.canonicalId],
    );
    await other.send(new PutObjectAclCommand({ Bucket, Key: 'theirs', ACL: 'bucket-owner-read' }));
    assert.equal(await read(root, Bucket, 'theirs'), 'theirs');
    await assert.rejects(root.send(new PutObjectAclCommand({ Bucket, Key: 'theirs', ACL: 'private' })), denied);
    await policy(Bucket, { Effect: 'Deny', Principal: '*', Action: 's3:GetObject', Resource: all(Bucket) });
    await assert.rejects(read(other, Bucket, 'theirs'), { ...denied, message: 'Access Denied' });
    await root.send(new DeleteObjectCommand({ Bucket, Key: 'theirs' }));
  });

  it('gives up what is uploaded with bucket-owner-full-control where that is preferred, and takes all when enforced', async () => {
    const Bucket = await make('acl-preferred', 'BucketOwnerPreferred', { GrantWrite: `id="${writer.canonicalId}"` });
    await put(other, Bucket, 'given', 'bucket-owner-full-control');
    await put(other, Bucket, 'kept');
    assert.equal((await aclOf(root, Bucket, 'given')).owner, owner.canonicalId);
    await assert.rejects(read(other, Bucket, 'given'), denied);
    await assert.rejects(read(root, Bucket, 'kept'), denied);
    const own = (ObjectOwnership: ObjectOwnership) =>
      root.send(new PutBucketOwnershipControlsCommand({ Bucket, OwnershipControls: { Rules: [{ ObjectOwnership }] } }));
    await refuses(own('BucketOwnerEnforced'), 'InvalidBucketAclWithObjectOwnership', 400);
    await root.send(new PutBucketAclCommand({ Bucket, ACL: 'private' }));
    await own('BucketOwnerEnforced');
    assert.equal(await read(root, Bucket, 'kept'), 'kept');
    await assert.rejects(read(other, Bucket, 'kept'), denied);
    await root.send(new DeleteBucketOwnershipControlsCommand({ Bucket }));
    const controls = root.send(new GetBucketOwnershipControlsCommand({ Bucket }));
    await refuses(controls, 'OwnershipControlsNotFoundError', 404);
    assert.equal(await read(other, Bucket, 'kept'), 'kept');
  });

  it('lets others write new objects and their own, and no others’, by WRITE on the bucket', async () => {
    const Bucket = await make('acl-write', 'ObjectWriter', { ACL: 'public-read-write' });
    await put(root, Bucket, 'own');
    await put(other, Bucket, 'theirs', 'public-read');
    await put(other, Bucket, 'theirs');
    await assert.rejects(put(other, Bucket, 'own'), denied);
    await assert.rejects(other.send(new DeleteObjectCommand({ Bucket, Key: 'own' })), denied);
    await other.send(new DeleteObjectCommand({ Bucket, Key: 'theirs' }));
    const { UploadId } = await other.send(new CreateMultipartUploadCommand({ Bucket, Key: 'parts' }));
    await other.send(new AbortMultipartUploadCommand({ Bucket, Key: 'parts', UploadId }));
    assert.equal(await anonymously(`${Bucket}/anybodys`, { method: 'PUT', body: 'x' }), 200);
    assert.equal(await anonymously(`${Bucket}/anybodys`), 200);
    await assert.rejects(read(root, Bucket, 'anybodys'), denied);
    assert.equal(await anonymously(`${Bucket}/nothing`), 404);
    assert.equal(await anonymously(`${Bucket}?list-type=2`), 200);
    await root.send(new DeleteObjectCommand({ Bucket, Key: 'anybodys' }));
  });

  it('blocks and ignores public lists where the bucket says so', async () => {
    const Bucket = await make('acl-blocked', 'ObjectWriter');
    await put(root, Bucket, 'film', 'public-read');
    const block = (flags: object) =>
      root.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration: flags }));
    await block({ IgnorePublicAcls: true });
    assert.equal(await anonymously(`${Bucket}/film`), 403);
    await assert.rejects(read(other, Bucket, 'film'), denied);
    await block({ BlockPublicAcls: true });
    assert.equal(await anonymously(`${Bucket}/film`), 200);
    const blocked = { ...denied, message: /BlockPublicAcls setting/ };
    await assert.rejects(put(root, Bucket, 'film', 'public-read'), blocked);
    await assert.rejects(
      root.send(new PutObjectAclCommand({ Bucket, Key: 'film', ACL: 'authenticated-read' })),
      blocked,
    );
    await assert.rejects(root.send(new PutBucketAclCommand({ Bucket, ACL: 'public-read-write' })), blocked);
    await put(root, Bucket, 'film', 'private');
    await block({ RestrictPublicBuckets: true });
    const deny = { Effect: 'Deny', Principal: '*', Action: 's3:GetObject', Resource: all(Bucket) };
    await policy(Bucket, deny, { ...deny, Effect: 'Allow', Action: 's3:PutObject' });
    await root.send(new PutObjectAclCommand({ Bucket, Key: 'film', ACL: 'public-read' }));
    assert.equal(await anonymously(`${Bucket}/film`), 403);
  });

  it('is each version’s own', async () => {
    const Bucket = await make('acl-versions', 'ObjectWriter');
    const VersioningConfiguration = { Status: 'Enabled' } as const;
    await root.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
    const { VersionId } = await put(root, Bucket, 'film');
    await put(root, Bucket, 'film');
    await root.send(new PutObjectAclCommand({ Bucket, Key: 'film', VersionId, ACL: 'public-read' }));
    assert.equal(await anonymously(`${Bucket}/film?versionId=${VersionId}`), 200);
    assert.equal(await anonymously(`${Bucket}/film`), 403);
    assert.deepEqual((await aclOf(root, Bucket, 'film')).grants, [full(owner)]);
  });

  it('is known to conditions of policies, in every form in which a request names it', async () => {
    const Bucket = await make('acl-conditions', 'BucketOwnerPreferred');
    const allow = {
      Effect: 'Allow',
      Principal: { AWS: writer.accountId },
      Action: 's3:PutObject',
      Resource: all(Bucket),
    };
    await policy(Bucket, {
      ...allow,
      Condition: { StringEquals: { 's3:x-amz-acl': 'bucket-owner-full-control' } },
    });
    await assert.rejects(put(other, Bucket, 'film'), denied);
    await put(other, Bucket, 'film', 'bucket-owner-full-control');
    await policy(Bucket, allow, {
      ...allow,
      Effect: 'Deny',
      Condition: { Null: { 's3:x-amz-grant-read': 'false' } },
    });
    await put(other, Bucket, 'new');
    const granted = new PutObjectCommand({ Bucket, Key: 'other', GrantRead: `uri="${ALL}"` });
    await assert.rejects(other.send(granted), denied);
    await policy(Bucket, allow, { ...allow, Effect: 'Deny', Condition: { Null: { 's3:x-amz-grant-write': 'false' } } });
    const write = new PutObjectCommand({ Bucket, Key: 'other', Body: '' });
    write.middlewareStack.add(
      (next) => (args) => {
        Object.assign((args.request as { headers: object }).headers, { 'x-amz-grant-write': `uri="${ALL}"` });
        return next(args);
      },
      { step: 'build' },
    );
    await assert.rejects(other.send(write), denied);
  });

  it('reads lists from bodies and headers, and refuses what is none', async () => {
    const Bucket = await make('acl-bodies', 'ObjectWriter');
    await put(root, Bucket, 'film');
    const set = (input: object) => root.send(new PutObjectAclCommand({ Bucket, Key: 'film', ...input }));
    const ID = owner.canonicalId;
    const body = (Grants: readonly object[], Owner: object = { ID }) => set({ AccessControlPolicy: { Owner, Grants } });
    const to = (Grantee: object, Permission = 'READ') => ({ Grantee, Permission });
    const group = to({ Type: 'Group', URI: ALL });
    const account = to({ Type: 'CanonicalUser', ID: writer.canonicalId }, 'READ_ACP');
    await body([group, account]);
    assert.deepEqual((await aclOf(other, Bucket, 'film')).grants, ['AllUsers READ', `${writer.canonicalId} READ_ACP`]);
    await body([]);
    assert.deepEqual((await aclOf(root, Bucket, 'film')).grants, []);
    await set({ GrantRead: `uri="${ALL}", id="${writer.canonicalId}"`, GrantFullControl: `id=${ID}` });
    assert.equal((await aclOf(root, Bucket, 'film')).grants.length, 3);
    const unknown = 'f'.repeat(64);
    await refuses(body([to({ Type: 'CanonicalUser', ID: unknown })]), 'InvalidArgument', 400);
    await refuses(set({ GrantRead: `id="${unknown}"` }), 'InvalidArgument', 400);
    await refuses(set({ GrantRead: 'everybody' }), 'InvalidArgument', 400);
    await refuses(body([to({ Type: 'Group', URI: 'http://example.com' })]), 'InvalidArgument', 400);
    await refuses(body([to({ Type: 'AmazonCustomerByEmail', EmailAddress: writer.email })]), 'MethodNotAllowed', 405);
    await refuses(body([group], {}), 'MalformedACLError', 400);
    await refuses(body([{ ...group, Permission: 'ALL' }]), 'MalformedACLError', 400);
    await refuses(body(Array.from({ length: 101 }, () => group)), 'MalformedACLError', 400);
    await refuses(body([group], { ID: writer.canonicalId }), 'AccessDenied', 403);
    await refuses(set({}), 'MissingSecurityHeader', 400);
    await refuses(set({ ACL: 'private', GrantRead: `id="${ID}"` }), 'InvalidRequest', 400);
    const both = { ACL: 'private', AccessControlPolicy: { Owner: { ID }, Grants: [group] } };
    await refuses(set(both), 'UnexpectedContent', 400);
    await refuses(root.send(new PutBucketAclCommand({ Bucket, ACL: 'no' as 'private' })), 'InvalidArgument', 400);
    await root.send(new PutBucketAclCommand({ Bucket, ACL: 'log-delivery-write' as 'private' }));
    const { Grants = [] } = await root.send(new GetBucketAclCommand({ Bucket }));
    assert.deepEqual(said(Grants), [full(owner), 'LogDelivery WRITE', 'LogDelivery READ_ACP']);
  });
});
