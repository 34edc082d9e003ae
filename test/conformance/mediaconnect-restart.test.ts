import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import {
  CreateFlowCommand,
  type CreateFlowRequest,
  DeleteFlowCommand,
  MediaConnectClient,
  StartFlowCommand,
  StopFlowCommand,
  UpdateFlowOutputCommand,
} from '@aws-sdk/client-mediaconnect';
import { silentLogger } from '#kernel/logger.ts';
import { askServer, connectToServer } from '../../bin/control-client.ts';
import { ConfigError, readConfig } from '../../bin/config.ts';
import { Server } from '../../bin/server.ts';
import { clientConfig } from '../harness/coffer-home.ts';
import { flowAddress } from '../harness/flow-calls.ts';
import { LiveAccount } from '../harness/live-platform.ts';
import { describeFlow, flowBecomes, rtpFlow } from '../harness/mediaconnect.ts';

const ROOT = { id: 'AKIATESTROOT00000000', secret: 'secret/of/the/root/user/of/this/test+000' };

interface Event {
  readonly source: string;
  readonly 'detail-type': string;
  readonly account: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: Readonly<Record<string, unknown>>;
}

describe('flows of a server that ends', () => {
  let folder: string;
  let environment: NodeJS.ProcessEnv;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'coffer-flows-'));
    environment = {
      COFFER_DATA: join(folder, 'data'),
      COFFER_PORT: '0',
      COFFER_ROOT_KEY_FILE: join(folder, 'root.key'),
      COFFER_ROOT_ACCESS_KEY_ID: ROOT.id,
      COFFER_ROOT_SECRET_ACCESS_KEY: ROOT.secret,
      COFFER_LOG_LEVEL: 'silent',
      COFFER_MEDIACONNECT_ADDRESS: flowAddress(),
    };
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function withServer(work: (client: MediaConnectClient, endpoint: string) => Promise<void>): Promise<void> {
    const server = await Server.start(readConfig({}, environment), environment, silentLogger);
    const client = new MediaConnectClient(clientConfig(server.endpoint, ROOT.id, ROOT.secret));
    try {
      await work(client, server.endpoint);
    } finally {
      client.destroy();
      await server.stop();
    }
  }

  async function create(client: MediaConnectClient, request: CreateFlowRequest): Promise<string> {
    const { Flow } = await client.send(new CreateFlowCommand(request));
    return Flow?.FlowArn ?? '';
  }

  async function eventsOf(flow: string): Promise<Event[]> {
    const found: Event[] = [];
    const connection = await connectToServer(join(folder, 'data'));
    assert.ok(connection);
    for await (const reply of askServer(connection, { command: 'events', after: 0, from: 0 })) {
      if (reply.type === 'item') found.push((reply.value as { event: Event }).event);
    }
    connection.destroy();
    return found.filter(({ resources }) => resources[0] === flow);
  }

  it('run again when it starts, if they ran, with keys that are read anew', async () => {
    const flows = { running: '', idle: '', stopped: '', failing: '', broken: '' };
    let roleName = '';
    await withServer(async (client, endpoint) => {
      const account = await LiveAccount.create(clientConfig(endpoint, ROOT.id, ROOT.secret));
      const key = await account.staticKey('aes256', randomBytes(32).toString('hex'));
      roleName = key.RoleArn.split('/').at(-1) ?? '';
      const source = { Name: 'camera', Protocol: 'zixi-push', WhitelistCidr: '127.0.0.0/8' } as const;
      flows.running = await create(client, rtpFlow('running', 5000));
      flows.idle = await create(client, rtpFlow('idle', 5002));
      flows.stopped = await create(client, rtpFlow('stopped', 5004));
      flows.failing = await create(client, {
        Name: 'failing',
        Source: { ...source, IngestPort: 5006, Decryption: key },
      });
      const wrong = { ...key, SecretArn: key.SecretArn.replace(/:key-\w+-/, ':absent-') };
      flows.broken = await create(client, {
        Name: 'broken',
        Source: { ...source, IngestPort: 5008, Decryption: wrong },
      });
      for (const FlowArn of [flows.running, flows.stopped, flows.failing]) {
        await client.send(new StartFlowCommand({ FlowArn }));
        await flowBecomes(client, FlowArn, ({ flow }) => flow.Status === 'ACTIVE');
      }
      await client.send(new StartFlowCommand({ FlowArn: flows.broken }));
      await flowBecomes(client, flows.broken, ({ flow }) => flow.Status === 'ERROR');
      // The answer says STOPPING: what comes of that may have to be done by the next start.
      await client.send(new StopFlowCommand({ FlowArn: flows.stopped }));
      account.destroy();
    });
    await withServer(async (client, endpoint) => {
      for (const arn of [flows.running, flows.failing])
        await flowBecomes(client, arn, ({ flow }) => flow.Status === 'ACTIVE');
      for (const arn of [flows.idle, flows.stopped])
        await flowBecomes(client, arn, ({ flow }) => flow.Status === 'STANDBY');
      const { flow, errors } = await describeFlow(client, flows.broken);
      assert.equal(flow.Status, 'ERROR');
      assert.match(errors.join(), /\(step 1/);
      const iam = new IAMClient(clientConfig(endpoint, ROOT.id, ROOT.secret));
      const nothing = { Version: '2012-10-17', Statement: [{ Effect: 'Deny', Action: '*', Resource: '*' }] };
      await iam.send(
        new PutRolePolicyCommand({
          RoleName: roleName,
          PolicyName: 'secrets',
          PolicyDocument: JSON.stringify(nothing),
        }),
      );
      iam.destroy();
    });
    await withServer(async (client) => {
      await flowBecomes(client, flows.running, ({ flow }) => flow.Status === 'ACTIVE');
      const { errors } = await flowBecomes(client, flows.failing, ({ flow }) => flow.Status === 'ERROR');
      assert.match(errors.join(), /\(step 2/);
    });
  });

  it('are told of in the event log, as EventBridge would have it', async () => {
    await withServer(async (client) => {
      const arn = await create(client, {
        Name: 'told',
        Source: {
          Name: 'c',
          Protocol: 'zixi-push',
          IngestPort: 5100,
          WhitelistCidr: '127.0.0.0/8',
          Decryption: {
            RoleArn: 'arn:aws:iam::123456789012:role/absent',
            SecretArn: 'arn:aws:secretsmanager:us-east-1:123456789012:secret:key-a1B2c3',
            KeyType: 'static-key',
            Algorithm: 'aes128',
          },
        },
        Outputs: [{ Name: 'o', Protocol: 'udp', Destination: '127.0.0.1', Port: 6000 }],
      });
      await client.send(new StartFlowCommand({ FlowArn: arn }));
      await flowBecomes(client, arn, ({ flow }) => flow.Status === 'ERROR');
      const { flow } = await describeFlow(client, arn);
      const OutputArn = flow.Outputs?.[0]?.OutputArn ?? '';
      await client.send(new UpdateFlowOutputCommand({ FlowArn: arn, OutputArn, OutputStatus: 'DISABLED' }));
      await client.send(new DeleteFlowCommand({ FlowArn: arn }));
      const events = await eventsOf(arn);
      assert.deepEqual(
        [...new Set(events.map(({ source, account, region }) => `${source} ${account} ${region}`))],
        ['aws.mediaconnect 123456789012 us-east-1'],
      );
      const changes = events.filter((event) => event['detail-type'] === 'MediaConnect Flow Status Change');
      assert.deepEqual(
        changes.map(({ detail }) => `${String(detail['previousStatus'])} → ${String(detail['currentStatus'])}`),
        ['STANDBY → STARTING', 'STARTING → ERROR', 'ERROR → DELETING'],
      );
      const alert = events.find((event) => event['detail-type'] === 'MediaConnect Alert');
      assert.equal(alert?.detail['errored'], true);
      assert.equal(alert?.detail['error-code'], 'AccessDeniedException');
      assert.match(String(alert?.detail['error-message']), /role\/absent does not exist/);
      const output = events.find((event) => event['detail-type'] === 'MediaConnect Output Status Change');
      assert.deepEqual(output?.resources, [arn, OutputArn]);
      assert.deepEqual(output?.detail, { currentStatus: 'DISABLED', previousStatus: 'ENABLED' });
    });
  });

  it('go with their account, whatever they do', async () => {
    await withServer(async (client, endpoint) => {
      const connection = await connectToServer(join(folder, 'data'));
      assert.ok(connection);
      const account = { accountId: '', accessKeyId: '', secretAccessKey: '' };
      for await (const reply of askServer(connection, { command: 'account-create', count: 1 })) {
        if (reply.type === 'item') Object.assign(account, reply.value);
      }
      const theirs = new MediaConnectClient(clientConfig(endpoint, account.accessKeyId, account.secretAccessKey));
      const granting = { Entitlements: [{ Name: 'theirs', Subscribers: ['123456789012'] }] };
      const origin = await create(theirs, rtpFlow('origin', 5300, granting));
      await theirs.send(new StartFlowCommand({ FlowArn: origin }));
      const { flow } = await flowBecomes(theirs, origin, (seen) => seen.flow.Status === 'ACTIVE');
      const Source = { Name: 'from', EntitlementArn: flow.Entitlements?.[0]?.EntitlementArn ?? '' };
      const taking = await create(client, { Name: 'taking', Source });
      await client.send(new StartFlowCommand({ FlowArn: taking }));
      await flowBecomes(client, taking, (seen) => seen.flow.Status === 'ACTIVE' && seen.errors.length > 0);
      const again = await connectToServer(join(folder, 'data'));
      assert.ok(again);
      for await (const reply of askServer(again, { command: 'account-delete', accountId: account.accountId }))
        void reply;
      connection.destroy();
      again.destroy();
      theirs.destroy();
      const { errors } = await describeFlow(client, taking);
      assert.match(errors.join(), /is not granted to this account, or not any more/);
      const free = await create(client, rtpFlow('free', 5300));
      await client.send(new StartFlowCommand({ FlowArn: free }));
      await flowBecomes(client, free, (seen) => seen.flow.Status === 'ACTIVE');
      const checking = await connectToServer(join(folder, 'data'));
      assert.ok(checking);
      const damage = [];
      for await (const reply of askServer(checking, { command: 'verify' })) {
        if (reply.type === 'item' && 'damage' in (reply.value as object)) damage.push(reply.value);
      }
      checking.destroy();
      assert.deepEqual(damage, []);
    });
  });

  it('start only with a list of remote entitlements that can be read', async () => {
    const file = join(folder, 'remote.json');
    const entitlementArn =
      'arn:aws:mediaconnect:eu-west-1:999999999999:entitlement:1-aaaaaaaaaaaaaaaa-bbbbbbbbbbbb:away';
    const entry = {
      entitlementArn,
      entitlementName: 'away',
      subscribers: ['123456789012'],
      address: '192.0.2.1',
      port: 20_000,
    };
    const cases: readonly (readonly [content: string, message: RegExp])[] = [
      ['', /it is not JSON/],
      ['{}', /must be a JSON list/],
      ['[1]', /entry 1 must be an object/],
      [JSON.stringify([entry, { ...entry, extra: 1 }]), /entry 2 has an unknown member extra/],
      [JSON.stringify([{ ...entry, entitlementArn: 'x' }]), /entitlementArn must be the ARN of an entitlement/],
      [JSON.stringify([{ ...entry, entitlementName: 'x' }]), /entitlementName must be away/],
      [JSON.stringify([{ ...entry, subscribers: [] }]), /subscribers must be a list of account ids/],
      [JSON.stringify([{ ...entry, subscribers: [123456789012] }]), /subscribers must be a list of account ids/],
      [JSON.stringify([{ ...entry, address: 'a b' }]), /address must be/],
      [JSON.stringify([{ ...entry, port: '20000' }]), /port must be/],
      [JSON.stringify([entry, entry]), /stands there twice/],
    ];
    const read = () => readConfig({}, { ...environment, COFFER_REMOTE_ENTITLEMENTS: file });
    assert.throws(
      read,
      (error) => error instanceof ConfigError && /COFFER_REMOTE_ENTITLEMENTS.*ENOENT/.test(error.message),
    );
    for (const [content, message] of cases) {
      await writeFile(file, content);
      assert.throws(read, (error) => error instanceof ConfigError && message.test(error.message), content);
    }
    await writeFile(file, JSON.stringify([entry]));
    assert.deepEqual(read().remoteEntitlements, [entry]);
  });
});
