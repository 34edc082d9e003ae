import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, afterEach, before, describe, it } from 'node:test';
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import {
  CancelRotateSecretCommand,
  CreateSecretCommand,
  DescribeSecretCommand,
  type DescribeSecretResponse,
  GetSecretValueCommand,
  PutSecretValueCommand,
  RotateSecretCommand,
  type RotateSecretRequest,
  type RotationRulesType,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { readConfig } from '../../bin/config.ts';
import { ClockedServer } from '../harness/clocked-server.ts';
import { RotationEndpoint, type RotationEvent } from '../harness/rotation-endpoint.ts';
import { failsWith } from '../harness/secrets-manager.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

describe('Rotation of secrets', () => {
  let endpoint: RotationEndpoint;
  let server: ClockedServer;
  const open: SecretsManagerClient[] = [];
  let target: string;

  before(async () => {
    endpoint = await RotationEndpoint.start();
    target = `${endpoint.origin}/rotate`;
    server = await ClockedServer.start(undefined, { COFFER_ROTATION_ENDPOINTS: target });
    rotations().start();
  });
  after(async () => {
    await rotations().stop();
    for (const one of open) one.destroy();
    await server.stop();
    await endpoint.stop();
  });
  afterEach(() => {
    endpoint.events.length = 0;
    endpoint.onStep = () => Promise.resolve(200);
  });

  const rotations = () => server.parts.services.secretsManager.rotations;
  /** A client whose clock is the server’s; it follows the machine’s after an answer, and so is for one request. */
  function connect(): SecretsManagerClient {
    const one = new SecretsManagerClient({
      ...server.clientConfig(),
      systemClockOffset: server.parts.now - Date.now(),
    });
    open.push(one);
    return one;
  }
  /** Lets time pass, and what is due be done. */
  async function pass(milliseconds: number): Promise<void> {
    server.pass(milliseconds / 1000);
    await rotations().runDue();
    await rotations().settle();
  }

  const create = async (Name: string, SecretString = 'old') =>
    (await connect().send(new CreateSecretCommand({ Name, SecretString }))).VersionId ?? '';
  const rotate = (SecretId: string, extra: Partial<RotateSecretRequest> = {}) =>
    connect().send(new RotateSecretCommand({ SecretId, RotationLambdaARN: target, ...extra }));
  const details = (SecretId: string): Promise<DescribeSecretResponse> =>
    connect().send(new DescribeSecretCommand({ SecretId }));
  const valueOf = async (SecretId: string) =>
    (await connect().send(new GetSecretValueCommand({ SecretId }))).SecretString;

  /** What AWS's templates of rotation functions do. */
  async function asTemplatesDo({ Step, SecretId, ClientRequestToken }: RotationEvent): Promise<number> {
    const { VersionIdsToStages = {} } = await connect().send(new DescribeSecretCommand({ SecretId }));
    assert.ok(VersionIdsToStages[ClientRequestToken]?.includes('AWSPENDING'), `${Step}: it is pending`);
    if (Step === 'createSecret') {
      const VersionStage = 'AWSPENDING';
      await assert.rejects(
        connect().send(new GetSecretValueCommand({ SecretId, VersionId: ClientRequestToken, VersionStage })),
        failsWith('ResourceNotFoundException'),
      );
      const SecretString = `new ${ClientRequestToken}`;
      await connect().send(
        new PutSecretValueCommand({ SecretId, ClientRequestToken, SecretString, VersionStages: [VersionStage] }),
      );
    }
    if (Step === 'finishSecret') {
      const current = Object.keys(VersionIdsToStages).find((id) => VersionIdsToStages[id]?.includes('AWSCURRENT'));
      await connect().send(
        new UpdateSecretVersionStageCommand({
          SecretId,
          VersionStage: 'AWSCURRENT',
          MoveToVersionId: ClientRequestToken,
          RemoveFromVersionId: current,
        }),
      );
    }
    return 200;
  }

  it('sends the four steps to the endpoint, and makes the new version the current one', async () => {
    const first = await create('rotated', 'a value that nobody is sent');
    endpoint.onStep = asTemplatesDo;
    const { VersionId = '', ARN } = await rotate('rotated', { RotationRules: { AutomaticallyAfterDays: 30 } });
    await rotations().settle();
    assert.deepEqual(endpoint.steps, ['createSecret', 'setSecret', 'testSecret', 'finishSecret']);
    for (const event of endpoint.events) {
      assert.deepEqual(event, { Step: event.Step, SecretId: ARN, ClientRequestToken: VersionId });
    }
    assert.ok(!endpoint.received.includes('a value that nobody is sent'));
    const after = await details('rotated');
    assert.deepEqual(after.VersionIdsToStages?.[first], ['AWSPREVIOUS']);
    assert.deepEqual(after.VersionIdsToStages?.[VersionId], ['AWSCURRENT']);
    assert.equal(await valueOf('rotated'), `new ${VersionId}`);
    assert.equal(after.RotationEnabled, true);
    assert.equal(after.RotationLambdaARN, target);
    assert.deepEqual(after.RotationRules, { AutomaticallyAfterDays: 30 });
    assert.ok(after.LastRotatedDate instanceof Date);
    const day = Math.floor(server.parts.now / DAY_MS) * DAY_MS;
    assert.equal(after.NextRotationDate?.getTime(), day + 31 * DAY_MS - 1000);

    await server.parts.services.log.flush();
    const trail = new CloudTrailClient({ ...server.clientConfig(), systemClockOffset: server.parts.now - Date.now() });
    const LookupAttributes = [{ AttributeKey: 'ResourceName', AttributeValue: ARN } as const];
    const { Events = [] } = await trail.send(new LookupEventsCommand({ LookupAttributes }));
    trail.destroy();
    const names = Events.map(({ EventName }) => EventName);
    assert.ok(names.includes('RotationStarted') && names.includes('RotationSucceeded'), names.join(' '));

    // A value that comes by hand does not stand in the way of the next rotation.
    await connect().send(new PutSecretValueCommand({ SecretId: 'rotated', SecretString: 'by hand' }));
    const { VersionId: next = '' } = await connect().send(new RotateSecretCommand({ SecretId: 'rotated' }));
    await rotations().settle();
    assert.equal(await valueOf('rotated'), `new ${next}`);
  });

  it('rotates by the schedule, and no more once it is cancelled', async () => {
    await create('scheduled');
    endpoint.onStep = asTemplatesDo;
    await rotate('scheduled', { RotationRules: { ScheduleExpression: 'rate(10 days)' } });
    await rotations().settle();
    const one = await valueOf('scheduled');
    endpoint.events.length = 0;
    await pass(9 * DAY_MS - HOUR_MS);
    assert.deepEqual(endpoint.steps, []);
    await pass(DAY_MS + 2 * HOUR_MS);
    assert.equal(endpoint.steps.length, 4);
    const two = await valueOf('scheduled');
    assert.notEqual(two, one);
    // A value that comes by hand counts as a rotation.
    await connect().send(new PutSecretValueCommand({ SecretId: 'scheduled', SecretString: 'by hand' }));
    const next = (await details('scheduled')).NextRotationDate?.getTime() ?? 0;
    assert.ok(next > server.parts.now + 9 * DAY_MS);
    await connect().send(new CancelRotateSecretCommand({ SecretId: 'scheduled' }));
    const after = await details('scheduled');
    assert.equal(after.RotationEnabled, false);
    assert.equal(after.NextRotationDate, undefined);
    assert.deepEqual(after.RotationRules, { ScheduleExpression: 'rate(10 days)' });
    await pass(20 * DAY_MS);
    assert.equal(await valueOf('scheduled'), 'by hand');
    await assert.rejects(
      connect().send(new CancelRotateSecretCommand({ SecretId: 'scheduled' })),
      failsWith('InvalidRequestException', /rotation turned on/),
    );
  });

  it('is tried again after a failure, and then left with AWSPENDING; another request takes it up', async () => {
    await create('failing');
    let isBroken = true;
    endpoint.onStep = async (event) =>
      event.Step === 'setSecret' && isBroken ? 500 : asTemplatesDo(event).catch(() => 200);
    const { VersionId = '' } = await rotate('failing');
    await rotations().settle();
    assert.deepEqual(endpoint.steps, ['createSecret', 'setSecret']);
    await pass(61_000);
    await pass(241_000);
    assert.equal(endpoint.events.length, 6);
    await pass(DAY_MS);
    assert.equal(endpoint.events.length, 6, 'three attempts, no more');
    assert.deepEqual((await details('failing')).VersionIdsToStages?.[VersionId], ['AWSPENDING']);
    assert.equal(await valueOf('failing'), 'old');
    isBroken = false;
    await assert.rejects(rotate('failing'), failsWith('InvalidRequestException', /previous rotation isn't complete/));
    await rotations().settle();
    assert.equal(await valueOf('failing'), `new ${VersionId}`);
  });

  it('has failed when the endpoint redirects, is gone, or does not move AWSCURRENT', async () => {
    await create('redirected');
    endpoint.onStep = () => Promise.resolve(307);
    await rotate('redirected');
    await rotations().settle();
    assert.deepEqual(endpoint.steps, ['createSecret']);
    await create('unmoved');
    endpoint.onStep = () => Promise.resolve(200);
    const { VersionId = '' } = await rotate('unmoved');
    await rotations().settle();
    const after = await details('unmoved');
    assert.deepEqual(after.VersionIdsToStages?.[VersionId], ['AWSPENDING']);
    assert.equal(after.LastRotatedDate, undefined);
    assert.equal(await valueOf('unmoved'), 'old');
  });

  it('only tries the configuration when it is not to rotate at once', async () => {
    const first = await create('later');
    const { VersionId } = await rotate('later', {
      RotateImmediately: false,
      RotationRules: { ScheduleExpression: 'cron(0 8 ? * MON *)', Duration: '3h' },
    });
    assert.equal(VersionId, undefined);
    await rotations().settle();
    assert.deepEqual(endpoint.steps, ['testSecret']);
    const after = await details('later');
    assert.deepEqual(after.VersionIdsToStages, { [first]: ['AWSCURRENT'] });
    const next = after.NextRotationDate ?? new Date(0);
    assert.deepEqual([next.getUTCDay(), next.getUTCHours()], [1, 11]);
  });

  it('answers the same request again as before', async () => {
    await create('twice');
    const ClientRequestToken = randomUUID();
    endpoint.onStep = async () => {
      assert.equal((await rotate('twice', { ClientRequestToken })).VersionId, ClientRequestToken);
      return 200;
    };
    assert.equal((await rotate('twice', { ClientRequestToken })).VersionId, ClientRequestToken);
    await rotations().settle();
    assert.equal(endpoint.steps.length, 4);
  });

  it('goes on after a restart with what was under way', async () => {
    await create('interrupted');
    let reached = () => {};
    const isReached = new Promise<void>((resolve) => {
      reached = resolve;
    });
    endpoint.onStep = async (event) => {
      if (event.Step !== 'testSecret') return asTemplatesDo(event);
      reached();
      return new Promise<number>(() => {});
    };
    const { VersionId = '' } = await rotate('interrupted');
    await isReached;
    await rotations().stop();
    endpoint.onStep = (event) => asTemplatesDo(event).catch(() => 200);
    rotations().start();
    await rotations().settle();
    assert.equal(await valueOf('interrupted'), `new ${VersionId}`);
  });

  it('refuses Lambda functions, addresses that are not allowed, and partners’ secrets, by name', async () => {
    await create('refused');
    const invalid = (pattern: RegExp) => failsWith('InvalidParameterException', pattern);
    const lambda = 'arn:aws:lambda:us-east-1:123456789012:function:rotate';
    await assert.rejects(
      rotate('refused', { RotationLambdaARN: lambda }),
      invalid(/no AWS Lambda.*COFFER_ROTATION_ENDPOINTS/),
    );
    for (const address of [
      `${endpoint.origin}/other`,
      `${endpoint.origin}/rotate/x`,
      'https://127.0.0.1/rotate',
      `${endpoint.origin}/`,
    ]) {
      await assert.rejects(
        rotate('refused', { RotationLambdaARN: address }),
        invalid(/not among the rotation endpoints/),
        address,
      );
    }
    for (const address of [
      'http://example.com/',
      'ftp://x/',
      'rotate',
      target.replace('//', '//user:pass@'),
      `${target}?a=b`,
    ]) {
      await assert.rejects(
        rotate('refused', { RotationLambdaARN: address }),
        invalid(/not the https:\/\/ address/),
        address,
      );
    }
    await assert.rejects(
      connect().send(new RotateSecretCommand({ SecretId: 'refused' })),
      failsWith('InvalidRequestException', /No Lambda rotation function ARN/),
    );
    const ExternalSecretRotationRoleArn = 'arn:aws:iam::123456789012:role/x';
    await assert.rejects(
      rotate('refused', { ExternalSecretRotationRoleArn }),
      invalid(/ExternalSecretRotationRoleArn/),
    );
    assert.equal((await details('refused')).RotationEnabled, undefined);
    assert.deepEqual(endpoint.events, []);
  });

  it('goes to no address that the start of the server would not take', () => {
    const read = (list: string) => readConfig({}, { COFFER_ROTATION_ENDPOINTS: list }).rotationEndpoints;
    assert.deepEqual(read(''), []);
    assert.deepEqual(read('https://A.example/, http://127.0.0.1:80/x'), ['https://a.example/', 'http://127.0.0.1/x']);
    for (const list of ['http://example.com/', 'https://', 'rotate', 'https://a/,', 'https://a/?b', 'https://a/#b']) {
      assert.throws(() => read(list), /COFFER_ROTATION_ENDPOINTS/, list);
    }
    assert.throws(
      () => read('ftp://somebody:password@a/'),
      (error: Error) => !error.message.includes('password@'),
    );
  });

  it('refuses rules that are none', async () => {
    await create('rules');
    const wrong: readonly RotationRulesType[] = [
      {},
      { Duration: '3h' },
      { AutomaticallyAfterDays: 3, ScheduleExpression: 'rate(3 days)' },
      { ScheduleExpression: 'rate(3 hours)' },
      { ScheduleExpression: 'rate(1001 days)' },
      { ScheduleExpression: 'rate(3 weeks)' },
      { ScheduleExpression: 'at(2030-01-01)' },
      { ScheduleExpression: 'cron(5 8 1 * ? *)' },
      { ScheduleExpression: 'cron(0 8 1 * ? 2030)' },
      { ScheduleExpression: 'cron(0 8 * * * *)' },
      { ScheduleExpression: 'cron(0 24 1 * ? *)' },
      { ScheduleExpression: 'cron(0 8 30 2 ? *)' },
      { ScheduleExpression: 'cron(0 * 1 * ? *)' },
      { ScheduleExpression: 'cron(0 8 1 * ?)' },
      { ScheduleExpression: 'rate(12 hours)', Duration: '13h' },
      { ScheduleExpression: 'cron(0 20 1 * ? *)', Duration: '5h' },
      { AutomaticallyAfterDays: 3, Duration: '25h' },
    ];
    for (const RotationRules of wrong) {
      const expected = /^(InvalidParameterException|ValidationException)$/;
      await assert.rejects(rotate('rules', { RotationRules }), { name: expected }, JSON.stringify(RotationRules));
    }
    await assert.rejects(
      rotate('rules', { RotationRules: { AutomaticallyAfterDays: 1001 } }),
      failsWith('ValidationException', /1000/),
    );
    assert.equal((await details('rules')).RotationEnabled, undefined);
  });
});
