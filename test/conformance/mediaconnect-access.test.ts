import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient, PutUserPolicyCommand } from '@aws-sdk/client-iam';
import {
  AddFlowOutputsCommand,
  CreateFlowCommand,
  DeleteFlowCommand,
  DescribeFlowCommand,
  type Encryption,
  GrantFlowEntitlementsCommand,
  ListFlowsCommand,
  ListTagsForResourceCommand,
  MediaConnectClient,
  RemoveFlowOutputCommand,
  StartFlowCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateFlowOutputCommand,
} from '@aws-sdk/client-mediaconnect';
import { createAccount } from '../harness/accounts.ts';
import { callFlows, flowAddress } from '../harness/flow-calls.ts';
import { refusedWith, rtpFlow } from '../harness/mediaconnect.ts';
import { type ClientConfig, startTestPlatform, type TestPlatform } from '../harness/platform.ts';

interface Statement {
  readonly Effect?: 'Allow' | 'Deny';
  readonly Action: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly Condition?: object;
}

const denied = (what: RegExp) => refusedWith('ForbiddenException', what, 403);
const gone = refusedWith('NotFoundException', undefined, 404);
const taker = { Name: 'taker', Protocol: 'rtp', Destination: '127.0.0.1', Port: 6000 } as const;

describe('access to flows', () => {
  let platform: TestPlatform;
  let root: MediaConnectClient;
  let iam: IAMClient;
  let port = 5000;
  let users = 0;

  before(async () => {
    platform = await startTestPlatform({ COFFER_MEDIACONNECT_ADDRESS: flowAddress() });
    root = new MediaConnectClient(platform.clientConfig());
    iam = new IAMClient(platform.clientConfig());
  });
  after(async () => {
    root.destroy();
    iam.destroy();
    await platform.stop();
  });

  async function credentialsFor(...statements: readonly Statement[]): Promise<ClientConfig['credentials']> {
    const UserName = `user-${users++}`;
    await iam.send(new CreateUserCommand({ UserName }));
    const Statement = statements.map((statement) => ({ Effect: 'Allow', Resource: '*', ...statement }));
    const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
    await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'p', PolicyDocument }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
    return { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' };
  }

  /** Runs with a client of a user who has these rights. */
  async function as(
    statements: readonly Statement[],
    work: (client: MediaConnectClient) => Promise<void>,
  ): Promise<void> {
    const client = new MediaConnectClient(platform.clientConfig(await credentialsFor(...statements)));
    await work(client).finally(() => client.destroy());
  }

  async function create(name: string): Promise<string> {
    const { Flow } = await root.send(new CreateFlowCommand({ ...rtpFlow(name, port++), Outputs: [taker] }));
    return Flow?.FlowArn ?? '';
  }

  it('is by the ARNs of the flow, and of what belongs to it', async () => {
    const [mine, other] = [await create('mine'), await create('other')];
    await as([{ Action: 'mediaconnect:*', Resource: mine }], async (client) => {
      await client.send(new DescribeFlowCommand({ FlowArn: mine }));
      const describing = client.send(new DescribeFlowCommand({ FlowArn: other }));
      await assert.rejects(
        describing,
        denied(/not authorized to perform: mediaconnect:DescribeFlow on resource: \S+:other/),
      );
      await assert.rejects(client.send(new StartFlowCommand({ FlowArn: other })), denied(/mediaconnect:StartFlow/));
      await assert.rejects(client.send(new ListFlowsCommand({})), denied(/mediaconnect:ListFlows/));
      // AWS asks about the output, too.
      const adding = client.send(
        new AddFlowOutputsCommand({ FlowArn: mine, Outputs: [{ ...taker, Name: 'b', Port: 7000 }] }),
      );
      await assert.rejects(
        adding,
        denied(/AddFlowOutputs on resource: arn:aws:mediaconnect:us-east-1:\d+:output:\*:b/),
      );
    });
    const outputs = 'arn:aws:mediaconnect:*:*:output:*:b*';
    await as([{ Action: 'mediaconnect:*', Resource: [mine, outputs] }], async (client) => {
      const { Outputs } = await client.send(
        new AddFlowOutputsCommand({ FlowArn: mine, Outputs: [{ ...taker, Name: 'b', Port: 7000 }] }),
      );
      const OutputArn = Outputs?.[0]?.OutputArn;
      await client.send(new UpdateFlowOutputCommand({ FlowArn: mine, OutputArn, Description: 'changed' }));
      await client.send(new RemoveFlowOutputCommand({ FlowArn: mine, OutputArn }));
      const { Flow } = await client.send(new DescribeFlowCommand({ FlowArn: mine }));
      const foreign = { FlowArn: mine, OutputArn: Flow?.Outputs?.[0]?.OutputArn };
      await assert.rejects(client.send(new RemoveFlowOutputCommand(foreign)), denied(/RemoveFlowOutput/));
    });
    const { Flow } = await root.send(new DescribeFlowCommand({ FlowArn: other }));
    const mixed = { FlowArn: mine, OutputArn: Flow?.Outputs?.[0]?.OutputArn };
    await assert.rejects(root.send(new RemoveFlowOutputCommand(mixed)), gone);
  });

  it('of other accounts is refused, and tells nothing', async () => {
    const flow = await create('ours');
    const foreign = await createAccount(platform);
    const client = new MediaConnectClient(platform.clientConfig(foreign));
    const absent = flow.replace(/:1-[A-Za-z0-9]{16}/, ':1-AAAAAAAAAAAAAAAA');
    const messages = await Promise.all(
      [flow, absent].map(async (FlowArn) => {
        const error = await client
          .send(new DescribeFlowCommand({ FlowArn }))
          .catch((reason: unknown) => reason as Error);
        denied(/mediaconnect:DescribeFlow/)(error);
        return (error as Error).message.replace(FlowArn, '');
      }),
    );
    assert.equal(messages[0], messages[1]);
    for (const command of [
      new StartFlowCommand({ FlowArn: flow }),
      new DeleteFlowCommand({ FlowArn: flow }),
      new TagResourceCommand({ ResourceArn: flow, Tags: { a: 'b' } }),
    ]) {
      await assert.rejects(client.send(command as DeleteFlowCommand), denied(/not authorized/));
    }
    assert.deepEqual((await client.send(new ListFlowsCommand({}))).Flows, []);
    // A port of another account's flow is in use; whose it is, is not said.
    const taken = client.send(new CreateFlowCommand(rtpFlow('theirs', port - 1)));
    await assert.rejects(
      taken,
      refusedWith('BadRequestException', /^UDP port \d+, which the source camera needs, is in use\. All/),
    );
    client.destroy();
  });

  it('to a role that is named needs iam:PassRole to MediaConnect', async () => {
    const flow = await create('roles');
    const role = `arn:aws:iam::${platform.accountId}:role/MediaConnectASM`;
    const SecretArn = `arn:aws:secretsmanager:us-east-1:${platform.accountId}:secret:key-a1B2c3`;
    const Encryption: Encryption = { RoleArn: role, SecretArn, KeyType: 'static-key', Algorithm: 'aes128' };
    const requests = (client: MediaConnectClient, n: number) => [
      () => {
        const Source = {
          Name: 's',
          Protocol: 'zixi-push',
          WhitelistCidr: '127.0.0.0/8',
          Decryption: Encryption,
        } as const;
        return client.send(new CreateFlowCommand({ Name: `f${n}`, Source }));
      },
      () => {
        const output = { Name: `o${n}`, Protocol: 'zixi-push', Destination: '127.0.0.1', Port: 7000 + n } as const;
        return client.send(new AddFlowOutputsCommand({ FlowArn: flow, Outputs: [{ ...output, Encryption }] }));
      },
      () => {
        const entitlement = { Name: `e${n}`, Subscribers: ['210987654321'], Encryption };
        return client.send(new GrantFlowEntitlementsCommand({ FlowArn: flow, Entitlements: [entitlement] }));
      },
    ];
    const pass = (PassedToService: string): Statement => ({
      Action: 'iam:PassRole',
      Resource: role,
      Condition: { StringEquals: { 'iam:PassedToService': PassedToService } },
    });
    const flows = { Action: 'mediaconnect:*' };
    await as([flows], async (client) => {
      for (const send of requests(client, 1)) await assert.rejects(send(), denied(/iam:PassRole/));
    });
    await as([flows, pass('mediaconvert.amazonaws.com')], async (client) => {
      for (const send of requests(client, 2)) await assert.rejects(send(), denied(/iam:PassRole/));
    });
    await as([flows, pass('mediaconnect.amazonaws.com')], async (client) => {
      for (const send of requests(client, 3)) await send();
    });
    // To point it to another secret is to use the role anew.
    const { Flow } = await root.send(new DescribeFlowCommand({ FlowArn: flow }));
    const OutputArn = Flow?.Outputs?.find(({ Name }) => Name === 'o3')?.OutputArn;
    const other = { FlowArn: flow, OutputArn, Encryption: { SecretArn: `${SecretArn.slice(0, -6)}d4E5f6` } };
    await as([flows], async (client) => {
      await assert.rejects(client.send(new UpdateFlowOutputCommand(other)), denied(/iam:PassRole/));
      await client.send(new UpdateFlowOutputCommand({ FlowArn: flow, OutputArn, Description: 'no key is touched' }));
    });
  });

  it('is by tags: those of the resource, and those of the request', async () => {
    const { body } = await callFlows(platform, 'POST', '/flows', {
      name: 'tagged',
      source: {
        name: 'camera',
        protocol: 'rtp',
        ingestPort: port++,
        whitelistCidr: '127.0.0.0/8',
        sourceTags: { kind: 'camera' },
      },
      outputs: [{ name: 'o', protocol: 'rtp', destination: '127.0.0.1', port: 6000, outputTags: { kind: 'taker' } }],
      entitlements: [{ name: 'e', subscribers: ['210987654321'], entitlementTags: { kind: 'partner' } }],
      flowTags: { team: 'blue' },
    });
    const { flow } = body as {
      flow: {
        flowArn: string;
        source: { sourceArn: string };
        outputs: { outputArn: string }[];
        entitlements: { entitlementArn: string }[];
      };
    };
    const arns = [
      flow.flowArn,
      flow.source.sourceArn,
      flow.outputs[0]?.outputArn,
      flow.entitlements[0]?.entitlementArn,
    ];
    const tagsOf = async (ResourceArn: string | undefined) =>
      (await root.send(new ListTagsForResourceCommand({ ResourceArn }))).Tags;
    assert.deepEqual(await Promise.all(arns.map(tagsOf)), [
      { team: 'blue' },
      { kind: 'camera' },
      { kind: 'taker' },
      { kind: 'partner' },
    ]);
    for (const ResourceArn of arns) {
      await root.send(new TagResourceCommand({ ResourceArn, Tags: { a: '1', b: '2' } }));
      await root.send(new UntagResourceCommand({ ResourceArn, TagKeys: ['a', 'never'] }));
      assert.equal((await tagsOf(ResourceArn))?.['b'], '2');
      assert.equal((await tagsOf(ResourceArn))?.['a'], undefined);
    }
    const absent = flow.flowArn.replace(/:tagged$/, ':absent');
    await assert.rejects(tagsOf(absent), gone);
    await assert.rejects(root.send(new TagResourceCommand({ ResourceArn: absent, Tags: { a: 'b' } })), gone);
    const tooMany = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`k${n}`, 'v']));
    const overfull = root.send(new TagResourceCommand({ ResourceArn: flow.flowArn, Tags: tooMany }));
    await assert.rejects(overfull, refusedWith('BadRequestException', /at most 50 tags/));

    const blue = { StringEquals: { 'aws:ResourceTag/team': 'blue' } };
    const other = await create('untagged');
    await as([{ Action: ['mediaconnect:DescribeFlow', 'mediaconnect:StartFlow'], Condition: blue }], async (client) => {
      await client.send(new DescribeFlowCommand({ FlowArn: flow.flowArn }));
      await assert.rejects(client.send(new DescribeFlowCommand({ FlowArn: other })), denied(/DescribeFlow/));
    });
    const onlyBlue = await credentialsFor(
      { Action: 'mediaconnect:CreateFlow', Condition: { StringEquals: { 'aws:RequestTag/team': 'blue' } } },
      { Action: 'mediaconnect:TagResource' },
    );
    const request = (flowTags?: object) => ({
      name: 'asked',
      source: { name: 'c', protocol: 'rtp', ingestPort: port++, whitelistCidr: '127.0.0.0/8' },
      flowTags,
    });
    assert.equal((await callFlows(platform, 'POST', '/flows', request(), onlyBlue)).status, 403);
    assert.equal((await callFlows(platform, 'POST', '/flows', request({ team: 'red' }), onlyBlue)).status, 403);
    assert.equal((await callFlows(platform, 'POST', '/flows', request({ team: 'blue' }), onlyBlue)).status, 201);
    const noTags = await credentialsFor({ Action: 'mediaconnect:CreateFlow' });
    assert.equal((await callFlows(platform, 'POST', '/flows', request({ team: 'blue' }), noTags)).status, 403);
  });
});
