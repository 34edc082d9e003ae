import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import * as accessanalyzer from '@aws-sdk/client-accessanalyzer';
import * as cloudtrail from '@aws-sdk/client-cloudtrail';
import * as iam from '@aws-sdk/client-iam';
import * as video from '@aws-sdk/client-kinesis-video';
import * as archivedMedia from '@aws-sdk/client-kinesis-video-archived-media';
import * as media from '@aws-sdk/client-kinesis-video-media';
import * as kms from '@aws-sdk/client-kms';
import * as mediaconnect from '@aws-sdk/client-mediaconnect';
import * as mediaconvert from '@aws-sdk/client-mediaconvert';
import * as s3 from '@aws-sdk/client-s3';
import * as secrets from '@aws-sdk/client-secrets-manager';
import * as sts from '@aws-sdk/client-sts';
import { NormalizedSchema } from '@smithy/core/schema';
import type { AnyService } from '#gateway/operations-table.ts';
import { httpTraitOf } from '#protocol/rest-routes.ts';
import { populateIam } from '../harness/iam-inputs.ts';
import { populateKms } from '../harness/kms-inputs.ts';
import { builtNamesOf, manifests } from '../harness/manifests.ts';
import { type ClientConfig, startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { signHeader } from '../harness/sigv4-signer.ts';
import { S3_SETTINGS } from '../harness/s3-settings.ts';
import { snapshotOf } from '../harness/snapshot.ts';

/** Open to every caller that has authenticated itself, as in AWS; or to browsers that ask whether they may ask. */
const EXEMPT = new Set([
  'sts:GetCallerIdentity',
  'sts:GetSessionToken',
  'kinesis-video-archived-media:PreflightHLS',
  'kinesis-video-archived-media:PreflightDASH',
  'key-provider:PreflightPlay',
]);
/** They ask for a provider's token, whoever signs. */
const BY_TOKEN = new Set(['sts:AssumeRoleWithWebIdentity', 'sts:AssumeRoleWithSAML']);
/** In no SDK, and with signatures of its own: see the tests of PutMedia. */
const ELSEWHERE = new Set(['kinesis-video-media:PutMedia']);

/** What requests that are made by hand have beside their paths. */
const BY_HAND: Readonly<Record<string, { readonly header?: string; readonly body?: string }>> = {
  's3-control': { header: 'x-amz-account-id' },
  's3-control:PutPublicAccessBlock': { body: '<PublicAccessBlockConfiguration/>' },
  's3-control:TagResource': { body: '<TagResourceRequest><Tags/></TagResourceRequest>' },
};

/** In the place of each part of a path that is no literal: it is a key's id too. */
const ANY = '98ee5596-cd3e-a20d-163a-e382420c6eff';

type Members = Readonly<Record<string, unknown>>;

interface Client {
  send(command: object): Promise<unknown>;
  destroy(): void;
  readonly middlewareStack: { addRelativeTo(middleware: unknown, options: object): void };
}

interface Sdk {
  readonly Client: new (config: ClientConfig) => Client;
  readonly commands: Readonly<Record<string, unknown>>;
}

const SDKS: Readonly<Record<string, Sdk>> = {
  kms: { Client: kms.KMSClient, commands: kms },
  s3: { Client: s3.S3Client, commands: s3 },
  mediaconvert: { Client: mediaconvert.MediaConvertClient, commands: mediaconvert },
  mediaconnect: { Client: mediaconnect.MediaConnectClient, commands: mediaconnect },
  iam: { Client: iam.IAMClient, commands: iam },
  sts: { Client: sts.STSClient, commands: sts },
  accessanalyzer: { Client: accessanalyzer.AccessAnalyzerClient, commands: accessanalyzer },
  cloudtrail: { Client: cloudtrail.CloudTrailClient, commands: cloudtrail },
  'secrets-manager': { Client: secrets.SecretsManagerClient, commands: secrets },
  'kinesis-video': { Client: video.KinesisVideoClient, commands: video },
  'kinesis-video-media': { Client: media.KinesisVideoMediaClient, commands: media },
  'kinesis-video-archived-media': { Client: archivedMedia.KinesisVideoArchivedMediaClient, commands: archivedMedia },
  // In no SDK: it is called by hand.
  'key-provider': { Client: sts.STSClient, commands: {} },
  // Its client is not at hand.
  's3-control': { Client: s3.S3Client, commands: {} },
} as unknown as Readonly<Record<string, Sdk>>;

function sdkOf(service: AnyService): Sdk {
  const sdk = SDKS[service.name];
  assert.ok(sdk, `the test knows no client of ${service.name}`);
  return sdk;
}

/** Sessions that may do nothing, by the policies of their role and of their own. */
const SESSIONS: Readonly<Record<string, { readonly role?: string; readonly session?: string }>> = {
  'a session of a role without policies': {},
  'a session of an administrator, whose session policy allows nothing': {
    role: '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}',
    session: '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"none:None","Resource":"*"}}',
  },
};

describe('callers without permissions', () => {
  let platform: TestPlatform;
  let callers: Readonly<Record<string, ClientConfig['credentials']>>;
  let inputs: Readonly<Record<string, Members>>;

  before(async () => {
    platform = await startTestPlatform();
    inputs = await populate(platform);
    const client = new iam.IAMClient(platform.clientConfig());
    await client.send(new iam.CreateUserCommand({ UserName: 'nobody' }));
    const { AccessKey } = await client.send(new iam.CreateAccessKeyCommand({ UserName: 'nobody' }));
    client.destroy();
    const nobody = { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' };
    callers = { 'a user without policies': nobody, ...(await sessionsOf(platform, nobody)) };
  });
  after(() => platform.stop());

  /** The least that the operation takes, naming what exists. */
  function inputOf(service: AnyService, name: string): Members {
    const schema = service.schemas.find((candidate) => candidate[2] === name);
    assert.ok(schema);
    const known = inputs[service.name] ?? {};
    const own = inputs[`${service.name}:${name}`] ?? {};
    const input: Record<string, unknown> = { ...own };
    const structure = NormalizedSchema.of(schema[4]);
    const facts: unknown = structure.getSchema();
    const requiredCount = Array.isArray(facts) ? Number(facts[6] ?? 0) : 0;
    let index = 0;
    for (const [member] of structure.isStructSchema() ? structure.structIterator() : []) {
      if (index < requiredCount && !(member in input)) {
        assert.ok(member in known, `${service.name}:${name} wants a value for ${member}`);
        input[member] = known[member];
      }
      // Named by this or by an ARN: neither is required by its schema.
      if (member === 'StreamName') input[member] ??= 'target';
      // Without it a user's own are meant: sessions have none.
      if (member === 'UserName' && service.name === 'iam') input[member] ??= 'target';
      index += 1;
    }
    return input;
  }

  async function call(
    service: AnyService,
    name: string,
    client: Client,
    credentials?: ClientConfig['credentials'],
  ): Promise<Outcome> {
    const Command = sdkOf(service).commands[`${name}Command`] as (new (input: Members) => object) | undefined;
    if (Command === undefined) return fetchByHand(service, name, credentials);
    try {
      return { status: 200, code: '', output: await client.send(new Command(inputOf(service, name))) };
    } catch (error) {
      return outcomeOf(error);
    }
  }

  /** What players fetch with a token in place of a signature is in no SDK, and is fetched without one. */
  async function fetchByHand(
    service: AnyService,
    name: string,
    credentials: ClientConfig['credentials'] | undefined,
  ): Promise<Outcome> {
    const schema = service.schemas.find((candidate) => candidate[2] === name);
    assert.ok(schema);
    const { method, segments } = httpTraitOf(schema);
    const valueOf = (label: string) => {
      const known = inputs[service.name]?.[label];
      return typeof known === 'string' ? known : ANY;
    };
    const path = `/${segments.map(({ kind, text }) => (kind === 'literal' ? text : valueOf(text))).join('/')}`;
    const { header } = BY_HAND[service.name] ?? {};
    const { body } = BY_HAND[`${service.name}:${name}`] ?? {};
    const own = header === undefined ? [] : [[header, platform.accountId] as const];
    const query = name === 'UntagResource' ? { query: [['tagKeys', 'a']] as const } : {};
    const request = { method, path, headers: own, ...query, ...(body !== undefined && { body: Buffer.from(body) }) };
    const isSigned = service.operations.find((built) => built.name === name)?.isAuthenticationRequired === true;
    const { host } = new URL(platform.endpoint);
    const options = { service: service.signingNames[0] ?? '', host };
    const nobody = { accessKeyId: '-', secretAccessKey: '-' };
    const signed = signHeader(request, { ...options, credentials: credentials ?? nobody });
    const headers = credentials !== undefined && isSigned ? signed.headers.filter(([name]) => name !== 'Host') : own;
    const response = await fetch(platform.endpoint + signed.target, {
      method,
      headers: headers.map(([...pair]) => pair),
      ...(body !== undefined && { body }),
    });
    const code = /<Code>(\w+)</.exec(await response.text())?.[1];
    return { status: response.status, code: response.headers.get('x-amzn-errortype') ?? code ?? '', output: undefined };
  }

  const namesOf = (service: AnyService): string[] =>
    builtNamesOf(service).filter((name) => !ELSEWHERE.has(`${service.name}:${name}`));

  for (const service of manifests.filter(({ operations }) => operations.length > 0)) {
    for (const who of ['a user without policies', ...Object.keys(SESSIONS)]) {
      it(`are refused by every operation of ${service.name}, before any effect: ${who}`, async () => {
        const credentials = callers[who];
        assert.ok(credentials);
        const client = new (sdkOf(service).Client)(platform.clientConfig(credentials));
        const before = snapshotOf(platform.dataFolder);
        for (const name of namesOf(service)) {
          const { status, code, output } = await call(service, name, client, credentials);
          const isOfSession = credentials.sessionToken !== undefined && name === 'GetSessionToken';
          if (EXEMPT.has(`${service.name}:${name}`) && !isOfSession) {
            assert.equal(status, 200, name);
          } else if (BY_TOKEN.has(`${service.name}:${name}`)) {
            assert.deepEqual([status, code], [400, 'InvalidIdentityTokenException']);
          } else if (name === 'DeleteObjects') {
            // It answers for each key by itself.
            const { Errors = [], Deleted = [] } = output as s3.DeleteObjectsOutput;
            assert.deepEqual([Errors.map((item) => item.Code), Deleted], [['AccessDenied'], []]);
          } else {
            const expected = REFUSALS[service.protocol];
            assert.ok(
              expected.includes(code) || (name.startsWith('Head') && status === 403),
              `${name}: ${status} ${code}`,
            );
          }
        }
        assert.deepEqual(snapshotOf(platform.dataFolder), before, `${service.name} has left something`);
        client.destroy();
      });
    }

    it(`are refused by every operation of ${service.name} without a signature`, async () => {
      const client = new (sdkOf(service).Client)(platform.clientConfig());
      client.middlewareStack.addRelativeTo(anonymous, {
        relation: 'after',
        toMiddleware: 'httpSigningMiddleware',
        name: 'anonymous',
      });
      const before = snapshotOf(platform.dataFolder);
      for (const name of namesOf(service)) {
        const { status, code, output } = await call(service, name, client);
        if (status === 200 && EXEMPT.has(`${service.name}:${name}`) && name.startsWith('Preflight')) continue;
        if (BY_TOKEN.has(`${service.name}:${name}`)) {
          assert.deepEqual([status, code], [400, 'InvalidIdentityTokenException']);
          continue;
        }
        if (name === 'DeleteObjects') {
          const { Errors = [] } = output as s3.DeleteObjectsOutput;
          assert.deepEqual(
            Errors.map((item) => item.Code),
            ['AccessDenied'],
          );
          continue;
        }
        const expected = ANONYMOUS_REFUSALS[service.protocol];
        assert.ok(expected.includes(code) || (name.startsWith('Head') && status === 403), `${name}: ${status} ${code}`);
        // S3 takes some for operations of its own that are not built.
        assert.ok((status >= 400 && status < 500) || status === 501, `${name}: ${status}`);
      }
      assert.deepEqual(snapshotOf(platform.dataFolder), before);
      client.destroy();
    });
  }
});

async function sessionsOf(platform: TestPlatform, nobody: ClientConfig['credentials']) {
  const people = new iam.IAMClient(platform.clientConfig());
  const tokens = new sts.STSClient(platform.clientConfig(nobody));
  const trust = {
    Effect: 'Allow',
    Principal: { AWS: `arn:aws:iam::${platform.accountId}:user/nobody` },
    Action: 'sts:AssumeRole',
  };
  const sessions: Record<string, ClientConfig['credentials']> = {};
  for (const [index, [name, { role, session }]] of Object.entries(SESSIONS).entries()) {
    const RoleName = `empty-${index}`;
    const AssumeRolePolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: trust });
    const { Role } = await people.send(new iam.CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }));
    if (role !== undefined) {
      await people.send(new iam.PutRolePolicyCommand({ RoleName, PolicyName: 'all', PolicyDocument: role }));
    }
    const { Credentials: given } = await tokens.send(
      new sts.AssumeRoleCommand({ RoleArn: Role?.Arn, RoleSessionName: 'empty', Policy: session }),
    );
    sessions[name] = {
      accessKeyId: given?.AccessKeyId ?? '',
      secretAccessKey: given?.SecretAccessKey ?? '',
      sessionToken: given?.SessionToken ?? '',
    };
  }
  people.destroy();
  tokens.destroy();
  return sessions;
}

interface Outcome {
  readonly status: number;
  readonly code: string;
  readonly output: unknown;
}

const REFUSALS = {
  awsJson1_0: ['AccessDeniedException'],
  awsJson1_1: ['AccessDeniedException'],
  awsQuery: ['AccessDenied'],
  // The last one is of what wants a token.
  restJson1: ['AccessDeniedException', 'ForbiddenException', 'NotAuthorizedException'],
  restXml: ['AccessDenied'],
} as const satisfies Record<string, readonly string[]> as Readonly<Record<AnyService['protocol'], readonly string[]>>;

const ANONYMOUS_REFUSALS: Readonly<Record<AnyService['protocol'], readonly string[]>> = {
  awsJson1_0: ['MissingAuthenticationTokenException'],
  awsJson1_1: ['MissingAuthenticationTokenException'],
  awsQuery: ['MissingAuthenticationToken'],
  // Without a signature nothing tells these from requests to S3, which has no such bucket or method. It says so in XML,
  // which a client for JSON can not read. Media has its own paths.
  restJson1: ['SyntaxError', 'NotAuthorizedException', 'MissingAuthenticationTokenException', 'ForbiddenException'],
  restXml: ['AccessDenied'],
};

function outcomeOf(error: unknown): Outcome {
  assert.ok(error instanceof Error);
  const metadata: unknown = '$metadata' in error ? error.$metadata : undefined;
  const isKnown = typeof metadata === 'object' && metadata !== null && 'httpStatusCode' in metadata;
  if (!isKnown) return unreadableOutcome(error);
  return { status: Number(metadata.httpStatusCode), code: error.name, output: undefined };
}

/** What older clients of the SDK make of S3's refusals, which are in XML: an error without metadata. */
function unreadableOutcome(error: Error & { $response?: { statusCode: number } }): Outcome {
  if (error.$response === undefined) throw error;
  return { status: error.$response.statusCode, code: error.name, output: undefined };
}

/** Takes off what the signer has put on. */
const anonymous =
  (next: (args: { request: { headers: Record<string, string> } }) => Promise<unknown>) =>
  (args: { request: { headers: Record<string, string> } }) => {
    for (const name of Object.keys(args.request.headers)) {
      if (/^(authorization|x-amz-date|x-amz-content-sha256)$/i.test(name)) delete args.request.headers[name];
    }
    return next(args);
  };

/** Makes one of everything, and says how each service's members name it. */
async function populate(platform: TestPlatform): Promise<Readonly<Record<string, Members>>> {
  const config = platform.clientConfig();
  const [keys, people, objects] = [new kms.KMSClient(config), new iam.IAMClient(config), new s3.S3Client(config)];
  const account = platform.accountId;
  const policy = (statement: Members) => JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
  const allowAll = policy({ Effect: 'Allow', Action: 's3:GetObject', Resource: '*' });
  const keyInputs = await populateKms(keys, account);
  const entities = await populateIam(people, account);

  const place = { Bucket: 'target', Key: 'target' };
  await objects.send(new s3.CreateBucketCommand({ Bucket: 'target' }));
  await objects.send(new s3.PutObjectCommand({ ...place, Body: 'content' }));
  const { UploadId } = await objects.send(new s3.CreateMultipartUploadCommand(place));
  const bucketPolicy = policy({
    Effect: 'Deny',
    Principal: '*',
    Action: 's3:PutObject',
    Resource: 'arn:aws:s3:::target/none',
  });
  await objects.send(new s3.PutBucketPolicyCommand({ Bucket: 'target', Policy: bucketPolicy }));
  const streams = new video.KinesisVideoClient(config);
  const { StreamARN } = await streams.send(new video.CreateStreamCommand({ StreamName: 'target' }));
  const vault = new secrets.SecretsManagerClient(config);
  const { ARN: SecretId } = await vault.send(new secrets.CreateSecretCommand({ Name: 'target', SecretString: 'x' }));
  const live = new mediaconnect.MediaConnectClient(config);
  const source = { Name: 'camera', Protocol: 'rtp', IngestPort: 5000, WhitelistCidr: '127.0.0.0/8' } as const;
  const { Flow } = await live.send(
    new mediaconnect.CreateFlowCommand({
      Name: 'target',
      Source: source,
      Outputs: [{ Name: 'taker', Protocol: 'rtp', Destination: '127.0.0.1', Port: 6000 }],
      Entitlements: [{ Name: 'partner', Subscribers: ['210987654321'] }],
    }),
  );
  const transcoder = new mediaconvert.MediaConvertClient(config);
  await transcoder.send(new mediaconvert.CreateQueueCommand({ Name: 'target' }));
  await transcoder.send(new mediaconvert.CreatePresetCommand({ Name: 'target', Settings: {} }));
  await transcoder.send(new mediaconvert.CreateJobTemplateCommand({ Name: 'target', Settings: {} }));
  for (const client of [keys, people, objects, streams, vault, live, transcoder]) client.destroy();
  const anyTime = { StartTimestamp: new Date(0), EndTimestamp: new Date(1000) };
  const fragments = { FragmentSelectorType: 'SERVER_TIMESTAMP', TimestampRange: anyTime };

  return {
    ...keyInputs,
    ...entities.inputs,
    sts: {
      RoleArn: entities.roleArn,
      RoleSessionName: 'session',
      WebIdentityToken: 'none',
      PrincipalArn: `arn:aws:iam::${account}:saml-provider/target`,
      SAMLAssertion: 'none',
      EncodedMessage: 'any',
      Name: 'federated',
      AccessKeyId: entities.accessKeyId,
    },
    s3: {
      ...place,
      UploadId,
      PartNumber: 1,
      Body: Buffer.from('other'),
      CopySource: 'target/target',
      RenameSource: 'target/target',
      ObjectEncryption: { SSEKMS: { KMSKeyArn: `arn:aws:kms:us-east-1:${account}:key/${ANY}` } },
      Delete: { Objects: [{ Key: 'target' }] },
      Policy: bucketPolicy,
      Tagging: { TagSet: [{ Key: 'a', Value: 'b' }] },
      ...S3_SETTINGS,
    },
    's3-control': { ResourceArn: 'arn:aws:s3:::target' },
    's3:CreateBucket': { Bucket: 'new-bucket' },
    's3:PutObject': { Body: Buffer.from('other') },
    's3:UploadPart': { Body: Buffer.from('other') },
    's3:CopyObject': { Key: 'copy' },
    's3:RenameObject': { Key: 'renamed' },
    's3:CompleteMultipartUpload': { MultipartUpload: { Parts: [{ PartNumber: 1, ETag: '"0"' }] } },
    'secrets-manager': {
      SecretId,
      Name: 'new',
      VersionStage: 'AWSCURRENT',
      ResourcePolicy: allowAll,
      TagKeys: ['a'],
      Tags: [{ Key: 'a', Value: 'b' }],
      AddReplicaRegions: [{ Region: 'eu-west-1' }],
      RemoveReplicaRegions: ['eu-west-1'],
    },
    'secrets-manager:BatchGetSecretValue': { SecretIdList: [SecretId] },
    'kinesis-video': {
      StreamName: 'target',
      StreamARN,
      ResourceARN: StreamARN,
      CurrentVersion: 'any',
      APIName: 'GET_MEDIA',
      Tags: { a: 'b' },
      TagKeyList: ['a'],
      Operation: 'INCREASE_DATA_RETENTION',
      DataRetentionChangeInHours: 1,
      StreamStorageConfiguration: { DefaultStorageTier: 'HOT' },
    },
    'kinesis-video:TagResource': { Tags: [{ Key: 'a', Value: 'b' }] },
    'kinesis-video-media': { StartSelector: { StartSelectorType: 'NOW' } },
    'kinesis-video-archived-media': {
      ClipFragmentSelector: fragments,
      Fragments: ['1'],
      ImageSelectorType: 'SERVER_TIMESTAMP',
      Format: 'PNG',
      ...anyTime,
    },
    mediaconnect: {
      FlowArn: Flow?.FlowArn,
      ResourceArn: Flow?.FlowArn,
      SourceArn: Flow?.Source?.SourceArn,
      OutputArn: Flow?.Outputs?.[0]?.OutputArn,
      EntitlementArn: Flow?.Entitlements?.[0]?.EntitlementArn,
      Name: 'new',
      Sources: [{ ...source, Name: 'other', IngestPort: 5002 }],
      Outputs: [{ Name: 'other', Protocol: 'rtp', Destination: '127.0.0.1', Port: 6002 }],
      Entitlements: [{ Name: 'other', Subscribers: ['210987654321'] }],
      VpcInterfaces: [
        {
          Name: 'inside',
          RoleArn: `arn:aws:iam::${account}:role/target`,
          SecurityGroupIds: ['sg-1'],
          SubnetId: 'subnet-1',
        },
      ],
      VpcInterfaceName: 'inside',
      MediaStreams: [{ MediaStreamId: 1, MediaStreamName: 'sound', MediaStreamType: 'audio' }],
      MediaStreamName: 'sound',
      Tags: { a: 'b' },
      TagKeys: ['a'],
    },
    'mediaconnect:CreateFlow': { Source: { ...source, IngestPort: 5004 } },
    accessanalyzer: { policyDocument: allowAll, policyType: 'IDENTITY_POLICY' },
    mediaconvert: {
      Id: '1234567890123-abcdef',
      Name: 'Default',
      Role: `arn:aws:iam::${account}:role/target`,
      Settings: { Inputs: [], OutputGroups: [] },
      Arn: `arn:aws:mediaconvert:us-east-1:${account}:queues/target`,
      Tags: { a: 'b' },
      Policy: { HttpInputs: 'DISALLOWED' },
    },
    'mediaconvert:CreateResourceShare': { JobId: '1234567890123-abcdef', SupportCaseId: 'case-1' },
    'mediaconvert:CreateQueue': { Name: 'new' },
    'mediaconvert:UpdateQueue': { Name: 'target' },
    'mediaconvert:DeleteQueue': { Name: 'target' },
    'mediaconvert:CreatePreset': { Name: 'new', Settings: {} },
    'mediaconvert:UpdatePreset': { Name: 'target', Settings: {} },
    'mediaconvert:DeletePreset': { Name: 'target' },
    'mediaconvert:DeleteJobTemplate': { Name: 'target' },
    'mediaconvert:AssociateCertificate': { Arn: `arn:aws:acm:us-east-1:${account}:certificate/1` },
  };
}
