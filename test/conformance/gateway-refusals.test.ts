import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient, PutUserPolicyCommand } from '@aws-sdk/client-iam';
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { DecodeAuthorizationMessageCommand, STSClient } from '@aws-sdk/client-sts';
import type { AccessEvaluation } from '#kernel/access-evaluation.ts';
import { factsOf } from '#services/cloudtrail/domain/audit-event.ts';
import { unpackEvents } from '#services/cloudtrail/domain/event-block.ts';
import { createAccount } from '../harness/accounts.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

interface Refused {
  readonly eventID: string;
  readonly requestID: string;
  readonly recipientAccountId: string;
  readonly additionalEventData: { readonly refusals?: readonly AccessEvaluation[]; readonly parentRequestID?: string };
}

interface Refusal extends Error {
  readonly $metadata: { readonly requestId?: string; readonly httpStatusCode?: number };
  readonly $response?: { readonly headers: Readonly<Record<string, string>> };
}

describe('a refusal', () => {
  let platform: TestPlatform;
  let root: { iam: IAMClient; s3: S3Client; kms: KMSClient; trail: CloudTrailClient };
  let alice: S3Client;
  let keyArn: string;
  let credentials: { accessKeyId: string; secretAccessKey: string };

  before(async () => {
    platform = await startTestPlatform();
    const config = platform.clientConfig();
    root = {
      iam: new IAMClient(config),
      s3: new S3Client(config),
      kms: new KMSClient(config),
      trail: new CloudTrailClient(config),
    };
    await root.iam.send(new CreateUserCommand({ UserName: 'alice', Tags: [{ Key: 'team', Value: 'news' }] }));
    const { AccessKey } = await root.iam.send(new CreateAccessKeyCommand({ UserName: 'alice' }));
    credentials = {
      accessKeyId: AccessKey?.AccessKeyId ?? '',
      secretAccessKey: AccessKey?.SecretAccessKey ?? '',
    };
    const policy = {
      Version: '2012-10-17',
      Statement: [
        {
          Sid: 'Read',
          Effect: 'Allow',
          Action: 's3:GetObject',
          Resource: 'arn:aws:s3:::films/*',
          Condition: { StringEquals: { 'aws:PrincipalTag/team': 'drama' } },
        },
        { Sid: 'Write', Effect: 'Allow', Action: 's3:PutObject', Resource: '*' },
      ],
    };
    await root.iam.send(
      new PutUserPolicyCommand({ UserName: 'alice', PolicyName: 'films', PolicyDocument: JSON.stringify(policy) }),
    );
    await root.s3.send(new CreateBucketCommand({ Bucket: 'films' }));
    const { KeyMetadata } = await root.kms.send(new CreateKeyCommand({}));
    keyArn = KeyMetadata?.Arn ?? '';
    alice = new S3Client(platform.clientConfig(credentials));
  });
  after(async () => {
    for (const client of [...Object.values(root), alice]) client.destroy();
    await platform.stop();
  });

  async function refusalOf(request: (client: S3Client) => Promise<unknown>): Promise<Refusal> {
    const error = await request(alice).then(
      () => assert.fail('was allowed'),
      (failure: unknown) => failure as Refusal,
    );
    assert.equal(error.$metadata.httpStatusCode, 403);
    return error;
  }

  const refusedRequest = async (request: (client: S3Client) => Promise<unknown>): Promise<string> =>
    (await refusalOf(request)).$metadata.requestId ?? '';

  async function eventsBy(name: string): Promise<Refused[]> {
    const lookup = { LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: name }] } as const;
    const { Events = [] } = await root.trail.send(
      new LookupEventsCommand({ ...lookup, LookupAttributes: [...lookup.LookupAttributes] }),
    );
    return Events.map((event) => JSON.parse(event.CloudTrailEvent ?? '{}') as Refused);
  }

  it('is recorded with every policy that was looked at, and what its conditions saw', async () => {
    const requestId = await refusedRequest((s3) => s3.send(new GetObjectCommand({ Bucket: 'films', Key: 'one' })));
    const event = (await eventsBy('GetObject')).find((item) => item.requestID === requestId);
    const [refusal, ...others] = event?.additionalEventData.refusals ?? [];
    assert.ok(refusal);
    assert.deepEqual(others, []);
    assert.equal(refusal.action, 's3:GetObject');
    assert.equal(refusal.resource, 'arn:aws:s3:::films/one');
    assert.equal(refusal.missing, 'identity-based');
    assert.equal(refusal.principal.arn, `arn:aws:iam::${platform.accountId}:user/alice`);
    assert.equal(refusal.isShortened, false);
    assert.equal(refusal.conditions['aws:principaltag/team'], 'news');
    const identity = refusal.policies.find(({ type }) => type === 'identity-based');
    assert.equal(identity?.name, 'films');
    assert.deepEqual(
      identity?.statements.map(({ sid, outcome }) => [sid, outcome]),
      [
        ['Read', 'unmet-condition'],
        ['Write', 'other-action'],
      ],
    );
    assert.deepEqual(identity?.statements[0]?.conditions, [
      { operator: 'StringEquals', key: 'aws:PrincipalTag/team', values: ['drama'], seen: 'news', isMet: false },
    ]);
  });

  it('of an inner call is found by the id of the request that the client made', async () => {
    const upload = {
      Bucket: 'films',
      Key: 'two',
      Body: 'x',
      ServerSideEncryption: 'aws:kms',
      SSEKMSKeyId: keyArn,
    } as const;
    const requestId = await refusedRequest((s3) => s3.send(new PutObjectCommand(upload)));
    const inner = (await eventsBy('GenerateDataKey')).find(
      (item) => item.additionalEventData.parentRequestID === requestId,
    );
    assert.equal(inner?.additionalEventData.refusals?.[0]?.action, 'kms:GenerateDataKey');
    const outer = (await eventsBy('PutObject')).find((item) => item.requestID === requestId);
    const records = new DatabaseSync(join(platform.dataFolder, 'records.db'), { readOnly: true });
    const blocks = records
      .prepare(
        `SELECT events FROM cloudtrail_block JOIN cloudtrail_term ON block = id WHERE kind = 'request' AND value = ?`,
      )
      .all(requestId);
    records.close();
    const events = blocks
      .flatMap(({ events: packed }) => unpackEvents(packed as Uint8Array))
      .map(factsOf)
      .filter((facts) => [facts.requestID, facts.additionalEventData?.parentRequestID].includes(requestId));
    assert.deepEqual(new Set(events.map((facts) => facts.eventID)), new Set([inner?.eventID, outer?.eventID]));
  });

  it('tells a long policy in a bounded record', async () => {
    const statements = Array.from({ length: 60 }, (_, index) => ({
      Sid: `S${index}`,
      Effect: 'Deny',
      Principal: '*',
      Action: 's3:GetObject',
      Resource: `arn:aws:s3:::films/${'x'.repeat(60)}${index}`,
      Condition: { StringLike: { 'aws:UserAgent': `*${'y'.repeat(60)}*` } },
    }));
    const last = {
      Sid: 'Last',
      Effect: 'Deny',
      Principal: '*',
      Action: 's3:GetObject',
      Resource: 'arn:aws:s3:::films/three',
    };
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [...statements, last] });
    await root.s3.send(new PutBucketPolicyCommand({ Bucket: 'films', Policy }));
    const requestId = await refusedRequest((s3) => s3.send(new GetObjectCommand({ Bucket: 'films', Key: 'three' })));
    const event = (await eventsBy('GetObject')).find((item) => item.requestID === requestId);
    const [refusal] = event?.additionalEventData.refusals ?? [];
    assert.ok(refusal);
    assert.equal(refusal.isShortened, true);
    assert.equal(refusal.decidedBy?.sid, 'Last');
    const ofBucket = refusal.policies.find(({ type }) => type === 'resource-based');
    assert.equal(ofBucket?.statementCount, 61);
    assert.equal(ofBucket?.statements.at(-1)?.outcome, 'applies');
    assert.ok(JSON.stringify(refusal).length < 13_000, String(JSON.stringify(refusal).length));
  });

  it('carries an encoded message, which only its account opens, and only with the permission', async () => {
    const refusal = await refusalOf((s3) => s3.send(new ListObjectsV2Command({ Bucket: 'films', Prefix: 'drafts/' })));
    assert.equal(
      refusal.message,
      `User: arn:aws:iam::${platform.accountId}:user/alice is not authorized to perform: s3:ListBucket on resource: ` +
        'arn:aws:s3:::films because no identity-based policy allows the s3:ListBucket action',
    );
    const EncodedMessage = refusal.$response?.headers['x-coffer-authorization-message'] ?? '';
    assert.ok(EncodedMessage.length > 100 && EncodedMessage.length < 8192);
    const sts = new STSClient(platform.clientConfig());
    const { DecodedMessage = '' } = await sts.send(new DecodeAuthorizationMessageCommand({ EncodedMessage }));
    const decoded = JSON.parse(DecodedMessage) as Decoded;
    assert.equal(decoded.allowed, false);
    assert.equal(decoded.explicitDeny, false);
    assert.deepEqual(decoded.matchedStatements, { items: [] });
    assert.equal(decoded.context.principal.arn, `arn:aws:iam::${platform.accountId}:user/alice`);
    assert.equal(decoded.context.action, 's3:ListBucket');
    assert.equal(decoded.context.resource, 'arn:aws:s3:::films');
    const seen = new Map(decoded.context.conditions.items.map(({ key, values }) => [key, values.items[0]?.value]));
    assert.equal(seen.get('s3:prefix'), 'drafts/');
    assert.equal(seen.get('aws:principaltag/team'), 'news');

    const hers = new STSClient(platform.clientConfig(credentials));
    await assert.rejects(hers.send(new DecodeAuthorizationMessageCommand({ EncodedMessage })), {
      name: 'AccessDenied',
    });
    const stranger = new STSClient(platform.clientConfig(await createAccount(platform)));
    const changed = `${EncodedMessage.slice(0, 60)}${EncodedMessage[60] === 'A' ? 'B' : 'A'}${EncodedMessage.slice(61)}`;
    for (const [client, message] of [
      [stranger, EncodedMessage],
      [sts, changed],
      [sts, 'nonsense'],
    ] as const) {
      await assert.rejects(client.send(new DecodeAuthorizationMessageCommand({ EncodedMessage: message })), {
        name: 'InvalidAuthorizationMessageException',
      });
    }
    for (const client of [sts, hers, stranger]) client.destroy();
  });

  it('by an explicit deny says which statement matched', async () => {
    const deny = {
      Sid: 'NoTags',
      Effect: 'Deny',
      Principal: '*',
      Action: 's3:PutObjectTagging',
      Resource: 'arn:aws:s3:::films/*',
    };
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [deny] });
    await root.s3.send(new PutBucketPolicyCommand({ Bucket: 'films', Policy }));
    const refusal = await refusalOf((s3) =>
      s3.send(new PutObjectCommand({ Bucket: 'films', Key: 'three', Body: 'x', Tagging: 'a=b' })),
    );
    assert.match(refusal.message, /with an explicit deny in a resource-based policy$/);
    const EncodedMessage = refusal.$response?.headers['x-coffer-authorization-message'] ?? '';
    const sts = new STSClient(platform.clientConfig());
    const { DecodedMessage = '' } = await sts.send(new DecodeAuthorizationMessageCommand({ EncodedMessage }));
    sts.destroy();
    const decoded = JSON.parse(DecodedMessage) as Decoded;
    assert.equal(decoded.explicitDeny, true);
    assert.equal(decoded.matchedStatements.items[0]?.statementId, 'NoTags');
    assert.equal(decoded.matchedStatements.items[0]?.effect, 'DENY');
  });
});

interface Items<Item> {
  readonly items: readonly Item[];
}

interface Decoded {
  readonly allowed: boolean;
  readonly explicitDeny: boolean;
  readonly matchedStatements: Items<{ readonly statementId: string; readonly effect: string }>;
  readonly context: {
    readonly principal: { readonly id: string; readonly arn: string };
    readonly action: string;
    readonly resource: string;
    readonly conditions: Items<{ readonly key: string; readonly values: Items<{ readonly value: string }> }>;
  };
}

it('carries the encoded message in its text too, where the operator wants that', async () => {
  await using platform = await startTestPlatform({ COFFER_ENCODED_REFUSALS: '1' });
  const iam = new IAMClient(platform.clientConfig());
  await iam.send(new CreateUserCommand({ UserName: 'bob' }));
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'bob' }));
  const { AccessKeyId: accessKeyId = '', SecretAccessKey: secretAccessKey = '' } = AccessKey ?? {};
  const credentials = { accessKeyId, secretAccessKey };
  const bobs = {
    s3: new S3Client(platform.clientConfig(credentials)),
    kms: new KMSClient(platform.clientConfig(credentials)),
  };
  const sts = new STSClient(platform.clientConfig());
  for (const [action, request] of [
    ['s3:ListAllMyBuckets', () => bobs.s3.send(new ListBucketsCommand({}))],
    ['kms:CreateKey', () => bobs.kms.send(new CreateKeyCommand({}))],
  ] as const) {
    const error = await request().then(
      () => assert.fail('was allowed'),
      (failure: unknown) => failure as Refusal,
    );
    const [, EncodedMessage = ''] = / action\. Encoded authorization failure message: (\S+)$/.exec(error.message) ?? [];
    assert.equal(EncodedMessage, error.$response?.headers['x-coffer-authorization-message']);
    const { DecodedMessage = '' } = await sts.send(new DecodeAuthorizationMessageCommand({ EncodedMessage }));
    assert.equal((JSON.parse(DecodedMessage) as Decoded).context.action, action);
  }
  for (const client of [iam, sts, ...Object.values(bobs)]) client.destroy();
});
