import assert from 'node:assert/strict';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import {
  AddUserToGroupCommand,
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreateGroupCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  IAMClient,
  PutGroupPolicyCommand,
  PutUserPermissionsBoundaryCommand,
  TagUserCommand,
} from '@aws-sdk/client-iam';
import { CreateStreamCommand, DescribeStreamCommand, KinesisVideoClient } from '@aws-sdk/client-kinesis-video';
import {
  GetMediaForFragmentListCommand,
  KinesisVideoArchivedMediaClient,
  ListFragmentsCommand,
} from '@aws-sdk/client-kinesis-video-archived-media';
import { EncryptCommand, KMSClient } from '@aws-sdk/client-kms';
import {
  CreateFlowCommand,
  DeleteFlowCommand,
  DescribeFlowCommand,
  ListEntitlementsCommand,
  MediaConnectClient,
} from '@aws-sdk/client-mediaconnect';
import {
  CreateJobCommand,
  CreateQueueCommand,
  GetJobCommand,
  GetQueueCommand,
  MediaConvertClient,
} from '@aws-sdk/client-mediaconvert';
import { CreateSecretCommand, DescribeSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { silentLogger } from '#kernel/logger.ts';
import { askServer, connectToServer } from '../../bin/control-client.ts';
import { allMigrations } from '../../bin/compose-services.ts';
import { readConfig } from '../../bin/config.ts';
import { Server } from '../../bin/server.ts';
import type { Damage } from '../../bin/verify.ts';
import { changeCell, columnsOf, withDatabase } from '../harness/changed-cell.ts';
import { clientConfig } from '../harness/coffer-home.ts';
import { furnishIamEntities, iamEntityCases } from '../harness/iam-sealed-rows.ts';
import type { XksProxy } from '../harness/xks-proxy.ts';
import { furnishKeyStore, furnishKms, kmsCases, startKeyStoreProxy } from '../harness/kms-sealed-rows.ts';
import { cluster, header } from '../harness/matroska-builder.ts';
import { jobEnd, jobOf, mp4Group } from '../harness/media-job.ts';
import { accountBlock, furnishS3, readInventory } from '../harness/s3-sealed-rows.ts';
import { MediaProducer } from '../harness/media-producer.ts';

const ACCOUNT = '123456789012';
const ROOT = { id: 'AKIATESTROOT00000000', secret: 'secret/of/the/root/user/of/this/test+000' };

type Use = (endpoint: string) => Promise<unknown>;

/** A row of each table whose rows are sealed, and what believes it. */
interface Case {
  readonly table: string;
  readonly where: string;
  readonly use: Use;
  /** By these columns the row is found: with others it is as if it were not there. */
  readonly lookedUpBy: readonly string[];
}

/**
 * An installation with one of everything whose records are sealed. While its server is stopped, somebody who may write
 * its database changes one column of one row.
 */

describe('a column that was changed in the database', () => {
  let folder: string;
  let environment: NodeJS.ProcessEnv;
  let database: string;
  const ann = { id: '', secret: '' };
  let jobId = '';
  let fragment = '';
  let flow = '';
  const partner = { id: '', secret: '' };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'coffer-rows-'));
    const proxy = await startKeyStoreProxy();
    environment = {
      COFFER_DATA: join(folder, 'data'),
      COFFER_PORT: '0',
      COFFER_ROOT_KEY_FILE: join(folder, 'root.key'),
      COFFER_ROOT_ACCESS_KEY_ID: ROOT.id,
      COFFER_ROOT_SECRET_ACCESS_KEY: ROOT.secret,
      COFFER_LOG_LEVEL: 'silent',
      // Where nobody listens.
      COFFER_EVENT_WEBHOOKS: 'http://127.0.0.1:9/',
      COFFER_S3_WEBHOOKS: 'nobody=http://127.0.0.1:9/',
      COFFER_XKS_PROXIES: proxy.route,
    };
    database = join(folder, 'data', 'records.db');
    await withServer((endpoint) => furnish(endpoint, proxy), { COFFER_SCRUB_RATE: '1000' });
    proxy.stop();
    await copyFile(database, join(folder, 'kept.db'));
  });
  after(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  async function withServer<Result>(
    work: (endpoint: string) => Promise<Result>,
    extra: NodeJS.ProcessEnv = {},
  ): Promise<Result> {
    const settings = { ...environment, ...extra };
    const server = await Server.start(readConfig({}, settings), settings, silentLogger);
    try {
      return await work(server.endpoint);
    } finally {
      await server.stop();
    }
  }

  async function furnish(endpoint: string, proxy: XksProxy): Promise<void> {
    const config = clientConfig(endpoint, ROOT.id, ROOT.secret);
    const iam = new IAMClient(config);
    const kms = new KMSClient(config);
    const media = new MediaConvertClient(config);
    const statement = (Action: string) => ({ Effect: 'Allow', Action, Resource: '*' });
    const document = (Action: string) => JSON.stringify({ Version: '2012-10-17', Statement: statement(Action) });

    await iam.send(new CreateUserCommand({ UserName: 'ann' }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'ann' }));
    ann.id = AccessKey?.AccessKeyId ?? '';
    ann.secret = AccessKey?.SecretAccessKey ?? '';
    await furnishIamEntities(iam);
    await iam.send(new CreateGroupCommand({ GroupName: 'staff' }));
    await iam.send(
      new PutGroupPolicyCommand({
        GroupName: 'staff',
        PolicyName: 'inline',
        PolicyDocument: document('sts:AssumeRole'),
      }),
    );
    await iam.send(new AddUserToGroupCommand({ GroupName: 'staff', UserName: 'ann' }));
    const { Policy } = await iam.send(
      new CreatePolicyCommand({ PolicyName: 'managed', PolicyDocument: document('kms:Encrypt') }),
    );
    await iam.send(new AttachUserPolicyCommand({ UserName: 'ann', PolicyArn: Policy?.Arn }));
    await iam.send(
      new PutUserPermissionsBoundaryCommand({
        UserName: 'ann',
        PermissionsBoundary: 'arn:aws:iam::aws:policy/AdministratorAccess',
      }),
    );
    await iam.send(new TagUserCommand({ UserName: 'ann', Tags: [{ Key: 'team', Value: 'blue' }] }));
    const trust = {
      Version: '2012-10-17',
      Statement: [
        { ...statement('sts:AssumeRole'), Resource: undefined, Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` } },
        {
          ...statement('sts:AssumeRole'),
          Resource: undefined,
          Principal: { Service: 'mediaconvert.amazonaws.com' },
        },
      ],
    };
    const { Role } = await iam.send(
      new CreateRoleCommand({ RoleName: 'worker', AssumeRolePolicyDocument: JSON.stringify(trust) }),
    );

    const KmsKeyId = await furnishKms(kms);
    await furnishKeyStore(kms, proxy);

    // There is no such bucket: the job ends at once, and lies there.
    const groups = [mp4Group({ destination: 's3://nowhere-to-be-found/out' })];
    const { Job } = await media.send(
      new CreateJobCommand(jobOf(Role?.Arn ?? '', 's3://nowhere-to-be-found/in.mp4', groups)),
    );
    jobId = Job?.Id ?? '';
    await jobEnd(media, jobId);

    await media.send(new CreateQueueCommand({ Name: 'fast' }));

    const video = new KinesisVideoClient(config);
    await video.send(new CreateStreamCommand({ StreamName: 'camera', DataRetentionInHours: 24, KmsKeyId }));
    const producer = await MediaProducer.open({ endpoint, credentials: config.credentials, stream: 'camera' });
    producer.send(header(), cluster(1000));
    producer.end();
    fragment = (await producer.ack('PERSISTED')).FragmentNumber ?? '';
    await producer.ended();
    const secrets = new SecretsManagerClient(config);
    const AddReplicaRegions = [{ Region: 'eu-west-1' }];
    await secrets.send(new CreateSecretCommand({ Name: 'door', SecretString: 'open sesame', AddReplicaRegions }));
    await furnishS3(config);
    const account = await createPartner();
    const flows = new MediaConnectClient(config);
    const Entitlements = [{ Name: 'partner', Subscribers: [account] }];
    const { Flow } = await flows.send(new CreateFlowCommand({ ...flowOf('live', 5000), Entitlements }));
    flow = Flow?.FlowArn ?? '';
    // Whose end is an event.
    const brief = await flows.send(new CreateFlowCommand(flowOf('brief', 5002)));
    await flows.send(new DeleteFlowCommand({ FlowArn: brief.Flow?.FlowArn }));
    for (const client of [iam, kms, media, video, secrets, flows]) client.destroy();
  }

  /** A second account. @returns its id */
  async function createPartner(): Promise<string> {
    const connection = await connectToServer(join(folder, 'data'));
    assert.ok(connection);
    let accountId = '';
    for await (const reply of askServer(connection, { command: 'account-create', count: 1 })) {
      if (reply.type !== 'item') continue;
      const account = reply.value as { accountId: string; accessKeyId: string; secretAccessKey: string };
      ({ accountId } = account);
      [partner.id, partner.secret] = [account.accessKeyId, account.secretAccessKey];
    }
    connection.destroy();
    return accountId;
  }

  const encrypt: Use = async (endpoint) => {
    const kms = new KMSClient(clientConfig(endpoint, ann.id, ann.secret));
    const KeyId = `arn:aws:kms:us-east-1:${ACCOUNT}:alias/test`;
    await kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') })).finally(() => kms.destroy());
  };
  const assume: Use = async (endpoint) => {
    const sts = new STSClient(clientConfig(endpoint, ann.id, ann.secret));
    const RoleArn = `arn:aws:iam::${ACCOUNT}:role/worker`;
    await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'session' })).finally(() => sts.destroy());
  };
  const getJob: Use = async (endpoint) => {
    const media = new MediaConvertClient(clientConfig(endpoint, ROOT.id, ROOT.secret));
    await media.send(new GetJobCommand({ Id: jobId })).finally(() => media.destroy());
  };
  const getQueue: Use = async (endpoint) => {
    const media = new MediaConvertClient(clientConfig(endpoint, ROOT.id, ROOT.secret));
    await media.send(new GetQueueCommand({ Name: 'fast' })).finally(() => media.destroy());
  };
  const describeStream: Use = async (endpoint) => {
    const video = new KinesisVideoClient(clientConfig(endpoint, ROOT.id, ROOT.secret));
    await video.send(new DescribeStreamCommand({ StreamName: 'camera' })).finally(() => video.destroy());
  };
  const listFragments: Use = async (endpoint) => {
    const archive = new KinesisVideoArchivedMediaClient(clientConfig(endpoint, ROOT.id, ROOT.secret));
    const TimestampRange = { StartTimestamp: new Date(0), EndTimestamp: new Date(Date.now() + 60_000) };
    const FragmentSelector = { FragmentSelectorType: 'SERVER_TIMESTAMP', TimestampRange } as const;
    const { Fragments = [] } = await archive
      .send(new ListFragmentsCommand({ StreamName: 'camera', FragmentSelector }))
      .finally(() => archive.destroy());
    assert.equal(Fragments.length, 1, 'the fragment is not there');
  };
  const readFragment: Use = async (endpoint) => {
    const archive = new KinesisVideoArchivedMediaClient(clientConfig(endpoint, ROOT.id, ROOT.secret));
    const { Payload } = await archive.send(
      new GetMediaForFragmentListCommand({ StreamName: 'camera', Fragments: [fragment] }),
    );
    const text = Buffer.from((await Payload?.transformToByteArray()) ?? []).toString('latin1');
    archive.destroy();
    // An answer that has begun tells its error in tags.
    if (!text.includes('AWS_KINESISVIDEO_EXCEPTION_ERROR_CODE')) return;
    const status = text.includes('5000') ? 500 : 400;
    throw Object.assign(new Error(text), { $metadata: { httpStatusCode: status } });
  };
  const describeSecret: Use = async (endpoint) => {
    const secrets = new SecretsManagerClient(clientConfig(endpoint, ROOT.id, ROOT.secret));
    const details = await secrets
      .send(new DescribeSecretCommand({ SecretId: 'door' }))
      .finally(() => secrets.destroy());
    assert.equal(details.ReplicationStatus?.length, 1, 'the replica is not there');
    assert.equal(Object.keys(details.VersionIdsToStages ?? {}).length, 1, 'the version is not there');
  };
  const flowOf = (Name: string, IngestPort: number) => ({
    Name,
    Source: { Name: 'camera', Protocol: 'rtp' as const, IngestPort, WhitelistCidr: '127.0.0.0/8' },
  });
  const describeFlow: Use = async (endpoint) => {
    const flows = new MediaConnectClient(clientConfig(endpoint, ROOT.id, ROOT.secret));
    await flows.send(new DescribeFlowCommand({ FlowArn: flow })).finally(() => flows.destroy());
  };
  /** The port is another flow's, which is refused as long as the record can be believed. */
  const takePort: Use = async (endpoint) => {
    const flows = new MediaConnectClient(clientConfig(endpoint, ROOT.id, ROOT.secret));
    const taking = flows.send(new CreateFlowCommand(flowOf('other', 5000))).finally(() => flows.destroy());
    await taking.catch((error: unknown) => {
      if (!/UDP port 5000/.test(String(error))) throw error;
    });
  };
  const listEntitlements: Use = async (endpoint) => {
    const flows = new MediaConnectClient(clientConfig(endpoint, partner.id, partner.secret));
    const { Entitlements = [] } = await flows.send(new ListEntitlementsCommand({})).finally(() => flows.destroy());
    assert.equal(Entitlements.length, 1, 'the entitlement is not there');
  };
  const getInventory: Use = (endpoint) => readInventory(clientConfig(endpoint, ROOT.id, ROOT.secret));
  const readEvents: Use = async () => {
    const connection = await connectToServer(join(folder, 'data'));
    assert.ok(connection);
    let count = 0;
    try {
      for await (const reply of askServer(connection, { command: 'events', after: 0, from: 0 })) {
        if (reply.type === 'item') count++;
      }
    } catch (error) {
      throw Object.assign(new Error('the events cannot be read', { cause: error }), {
        $metadata: { httpStatusCode: 500 },
      });
    } finally {
      connection.destroy();
    }
    assert.ok(count > 0, 'the events are not there');
  };
  const readUsage: Use = async () => {
    const connection = await connectToServer(join(folder, 'data'));
    assert.ok(connection);
    const request = { command: 'key-usage', month: new Date().toISOString().slice(0, 7) } as const;
    try {
      await Array.fromAsync(askServer(connection, request));
    } catch (error) {
      throw Object.assign(new Error('the usage cannot be read', { cause: error }), {
        $metadata: { httpStatusCode: 500 },
      });
    } finally {
      connection.destroy();
    }
  };
  const lookUp: Use = async (endpoint) => {
    const trail = new CloudTrailClient(clientConfig(endpoint, ROOT.id, ROOT.secret));
    const LookupAttributes = [{ AttributeKey: 'EventName', AttributeValue: 'CreateAlias' } as const];
    const { Events = [] } = await trail
      .send(new LookupEventsCommand({ LookupAttributes }))
      .finally(() => trail.destroy());
    assert.equal(Events.length, 1, 'the event is not there');
  };

  const readBlock = (endpoint: string) => accountBlock(clientConfig(endpoint, ROOT.id, ROOT.secret), ACCOUNT);

  const cases: readonly Case[] = [
    ...iamEntityCases((endpoint) => clientConfig(endpoint, ROOT.id, ROOT.secret)),
    { table: 'iam_account', where: `id = '${ACCOUNT}'`, use: encrypt, lookedUpBy: ['id'] },
    { table: 'iam_principal', where: `name = 'ann'`, use: encrypt, lookedUpBy: ['id'] },
    { table: 'iam_principal', where: `name = 'worker'`, use: assume, lookedUpBy: ['account', 'kind', 'name_key'] },
    { table: 'iam_access_key', where: 'user_id IS NOT NULL', use: encrypt, lookedUpBy: ['id'] },
    { table: 'iam_policy', where: '1', use: encrypt, lookedUpBy: ['id', 'arn', 'default_version'] },
    { table: 'iam_policy_version', where: '1', use: encrypt, lookedUpBy: ['policy_id', 'version'] },
    { table: 'iam_inline_policy', where: '1', use: assume, lookedUpBy: ['principal_id'] },
    { table: 'iam_attachment', where: '1', use: encrypt, lookedUpBy: ['principal_id'] },
    { table: 'iam_membership', where: '1', use: assume, lookedUpBy: ['group_id', 'user_id'] },
    { table: 'iam_tag', where: '1', use: encrypt, lookedUpBy: ['owner_id'] },
    ...kmsCases((endpoint) => clientConfig(endpoint, ROOT.id, ROOT.secret)),
    { table: 'mediaconvert_job', where: '1', use: getJob, lookedUpBy: ['id', 'account', 'region'] },
    { table: 'mediaconvert_resource', where: '1', use: getQueue, lookedUpBy: ['account', 'region', 'kind', 'name'] },
    {
      table: 'kinesis_video_stream',
      where: '1',
      use: describeStream,
      lookedUpBy: ['account', 'region', 'name', 'deleted_at'],
    },
    { table: 'kinesis_video_fragment', where: '1', use: listFragments, lookedUpBy: ['stream', 'is_kept'] },
    { table: 'kinesis_video_ingest', where: '1', use: readFragment, lookedUpBy: ['id', 'stream'] },
    {
      table: 'secrets_manager_secret',
      where: 'primary_id IS NULL',
      use: describeSecret,
      lookedUpBy: ['id', 'account', 'region', 'name'],
    },
    {
      table: 'secrets_manager_version',
      where: `secret_id = (SELECT id FROM secrets_manager_secret WHERE primary_id IS NULL)`,
      use: describeSecret,
      lookedUpBy: ['secret_id'],
    },
    { table: 'secrets_manager_replica', where: '1', use: describeSecret, lookedUpBy: ['primary_id'] },
    { table: 'mediaconnect_flow', where: '1', use: describeFlow, lookedUpBy: ['key'] },
    { table: 'mediaconnect_port', where: 'port = 5000', use: takePort, lookedUpBy: ['port'] },
    { table: 'event_log', where: `source = 'aws.mediaconnect'`, use: readEvents, lookedUpBy: [] },
    // Believed by the sender alone, which then sends nothing.
    { table: 'event_webhook', where: '1', use: readEvents, lookedUpBy: ['endpoint', 'number', 'mac'] },
    // Believed by the sender alone, to an address where nobody listens.
    {
      table: 's3_notification',
      where: '1',
      use: readEvents,
      lookedUpBy: ['number', 'webhook', 'account', 'time', 'message', 'mac'],
    },
    // Believed by the delivery alone, which is refused.
    {
      table: 's3_access_log',
      where: 'number = (SELECT min(number) FROM s3_access_log)',
      use: readEvents,
      lookedUpBy: ['number', 'bucket', 'day', 'time', 'length', 'lines', 'mac'],
    },
    { table: 's3_inventory', where: '1', use: getInventory, lookedUpBy: ['bucket', 'id'] },
    { table: 's3_account', where: '1', use: readBlock, lookedUpBy: ['account'] },
    // Where it cannot be believed, the reading begins anew.
    { table: 's3_scrub', where: '1', use: readEvents, lookedUpBy: ['id', 'position', 'mac'] },
    { table: 'kms_usage', where: `operation = 'CreateAlias'`, use: readUsage, lookedUpBy: ['day'] },
    { table: 'mediaconnect_grant', where: '1', use: listEntitlements, lookedUpBy: ['subscriber'] },
    {
      table: 'cloudtrail_block',
      where: `id = (SELECT block FROM cloudtrail_term WHERE kind = 'name' AND value = 'CreateAlias')`,
      use: lookUp,
      lookedUpBy: [],
    },
  ];

  it('is looked for in every table whose rows are sealed', () => {
    const gone = new Set(allMigrations.flatMap((migration) => migration.droppedTables ?? []));
    const sealed = allMigrations.flatMap((migration) => migration.sealedTables ?? []).filter((name) => !gone.has(name));
    assert.deepEqual(sealed.toSorted(), [...new Set(cases.map(({ table }) => table))].toSorted());
  });

  it('was not there to begin with', async () => {
    await withServer(async (endpoint) => {
      const uses = [
        encrypt,
        assume,
        getJob,
        getQueue,
        describeStream,
        listFragments,
        readFragment,
        describeSecret,
        lookUp,
      ];
      for (const use of [...uses, describeFlow, takePort, listEntitlements, readEvents]) await use(endpoint);
      assert.deepEqual(await verify(), []);
    });
  });

  for (const { table, where, use, lookedUpBy } of cases) {
    it(`is an error on the next use, and found: ${table} where ${where}`, async () => {
      for (const column of columnsOf(database, table)) {
        const what = `${table}.${column}`;
        await restore();
        changeCell(database, table, where, column);
        await withServer(async (endpoint) => {
          if (!lookedUpBy.includes(column)) {
            const failure = await use(endpoint).then(
              () => assert.fail(`${what} was believed`),
              (error: unknown) => error as Error & { $metadata?: { httpStatusCode?: number } },
            );
            const status = failure.$metadata?.httpStatusCode ?? 0;
            assert.ok(status >= 500, `${what}: ${failure.name} ${failure.message}`);
          }
          const found = await verify();
          assert.ok(
            found.some((damage) => damage.what.startsWith(`record ${table} `)),
            `${what}: ${JSON.stringify(found)}`,
          );
        });
      }
    });
  }

  it('of the audit log’s index is an error where it leads to an event, and found', async () => {
    const where = `kind = 'resource' AND value = 'arn:aws:iam::${ACCOUNT}:role/worker' AND last = (SELECT max(last)
      FROM cloudtrail_term WHERE kind = 'resource' AND value = 'arn:aws:iam::${ACCOUNT}:role/worker')`;
    for (const column of columnsOf(database, 'cloudtrail_term')) {
      await restore();
      changeCell(database, 'cloudtrail_term', where, column);
      await withServer(async () => {
        const found = await verify();
        assert.ok(
          found.some(({ what }) => what.startsWith('record cloudtrail_term ')),
          `${column}: ${JSON.stringify(found)}`,
        );
      });
    }
    await restore();
    withDatabase(database, (opened) => opened.exec(`UPDATE cloudtrail_term SET value = 'arn:lie' WHERE ${where}`));
    await withServer(async (endpoint) => {
      const trail = new CloudTrailClient(clientConfig(endpoint, ROOT.id, ROOT.secret));
      const LookupAttributes = [{ AttributeKey: 'ResourceName', AttributeValue: 'arn:lie' } as const];
      await assert.rejects(trail.send(new LookupEventsCommand({ LookupAttributes })), /internal|InternalError/i);
      trail.destroy();
    });
  });

  async function restore(): Promise<void> {
    await rm(`${database}-wal`, { force: true });
    await rm(`${database}-shm`, { force: true });
    await copyFile(join(folder, 'kept.db'), database);
  }

  async function verify(): Promise<Damage[]> {
    const connection = await connectToServer(join(folder, 'data'));
    assert.ok(connection);
    const found: Damage[] = [];
    try {
      for await (const reply of askServer(connection, { command: 'verify' })) {
        if (reply.type === 'item' && 'damage' in (reply.value as Damage)) found.push(reply.value as Damage);
      }
    } finally {
      connection.destroy();
    }
    return found;
  }
});
