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
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import type { AccessEvaluation } from '#kernel/access-evaluation.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

interface Refused {
  readonly eventID: string;
  readonly requestID: string;
  readonly recipientAccountId: string;
  readonly additionalEventData: { readonly refusals?: readonly AccessEvaluation[]; readonly parentRequestID?: string };
}

describe('a refusal', () => {
  let platform: TestPlatform;
  let root: { iam: IAMClient; s3: S3Client; kms: KMSClient; trail: CloudTrailClient };
  let alice: S3Client;
  let keyArn: string;

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
    const credentials = {
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

  async function refusedRequest(request: (client: S3Client) => Promise<unknown>): Promise<string> {
    const error = await request(alice).then(
      () => assert.fail('was allowed'),
      (failure: unknown) => failure as { readonly $metadata: { readonly requestId?: string; httpStatusCode?: number } },
    );
    assert.equal(error.$metadata.httpStatusCode, 403);
    return error.$metadata.requestId ?? '';
  }

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
    const rows = records.prepare('SELECT event_id FROM cloudtrail_request WHERE request_id = ?').all(requestId);
    records.close();
    assert.deepEqual(new Set(rows.map((row) => row['event_id'])), new Set([inner?.eventID, outer?.eventID]));
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
});
