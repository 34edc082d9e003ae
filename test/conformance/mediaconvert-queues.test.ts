import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  CancelJobCommand,
  CreateJobCommand,
  CreateQueueCommand,
  type CreateQueueCommandInput,
  DeleteQueueCommand,
  GetJobCommand,
  GetQueueCommand,
  ListJobsCommand,
  ListQueuesCommand,
  MediaConvertClient,
  UpdateQueueCommand,
} from '@aws-sdk/client-mediaconvert';
import { jobEnd, jobOf, mp4Group } from '../harness/media-job.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

describe('MediaConvert’s queues', () => {
  let platform: TestPlatform;
  let client: MediaConvertClient;
  let role: string;

  before(async () => {
    platform = await startTestPlatform({ COFFER_MEDIA_WORKERS: '3' });
    client = new MediaConvertClient(platform.clientConfig());
    // There is no such role: a job ends as soon as it begins.
    role = `arn:aws:iam::${platform.accountId}:role/Absent`;
  });
  after(async () => {
    client.destroy();
    await platform.stop();
  });

  const arnOf = (name: string) => `arn:aws:mediaconvert:us-east-1:${platform.accountId}:queues/${name}`;
  const create = async (input: CreateQueueCommandInput) => (await client.send(new CreateQueueCommand(input))).Queue;
  const submit = async (Queue: string | undefined, Priority?: number) => {
    const request = jobOf(role, 's3://source/film.mp4', [mp4Group({ destination: 's3://outputs/' })]);
    const { Job } = await client.send(new CreateJobCommand({ ...request, Queue, Priority }));
    return Job?.Id ?? '';
  };

  it('are made, told, changed and deleted', async () => {
    const made = await create({ Name: 'fast', Description: 'For news', ConcurrentJobs: 2, Tags: { team: 'blue' } });
    assert.deepEqual(
      { ...made, CreatedAt: undefined, LastUpdated: undefined },
      {
        Arn: arnOf('fast'),
        Name: 'fast',
        Description: 'For news',
        PricingPlan: 'ON_DEMAND',
        Status: 'ACTIVE',
        Type: 'CUSTOM',
        ConcurrentJobs: 2,
        SubmittedJobsCount: 0,
        ProgressingJobsCount: 0,
        CreatedAt: undefined,
        LastUpdated: undefined,
      },
    );
    const changed = await client.send(new UpdateQueueCommand({ Name: 'fast', Status: 'PAUSED', ConcurrentJobs: 1 }));
    assert.deepEqual([changed.Queue?.Status, changed.Queue?.ConcurrentJobs], ['PAUSED', 1]);
    assert.equal(changed.Queue?.Description, 'For news');
    const { Queue: byArn } = await client.send(new GetQueueCommand({ Name: arnOf('fast') }));
    assert.deepEqual(byArn, changed.Queue);
    await assert.rejects(create({ Name: 'fast' }), { name: 'ConflictException' });
    await client.send(new DeleteQueueCommand({ Name: 'fast' }));
    const gone = { name: 'NotFoundException', message: 'The queue fast does not exist.' };
    await assert.rejects(client.send(new GetQueueCommand({ Name: 'fast' })), gone);
    await assert.rejects(client.send(new UpdateQueueCommand({ Name: 'fast' })), gone);
    await assert.rejects(client.send(new DeleteQueueCommand({ Name: 'fast' })), gone);
  });

  it('hold back their jobs while they are paused, and cannot be deleted with them', async () => {
    await create({ Name: 'night', Status: 'PAUSED' });
    const [first, second] = [await submit('night'), await submit(arnOf('night'), 50)];
    assert.equal((await jobEnd(client, await submit(undefined))).Status, 'ERROR');
    const { Queue } = await client.send(new GetQueueCommand({ Name: 'night' }));
    assert.deepEqual([Queue?.SubmittedJobsCount, Queue?.ProgressingJobsCount], [2, 0]);
    const { Job } = await client.send(new GetJobCommand({ Id: second }));
    assert.deepEqual([Job?.Status, Job?.Queue, Job?.Priority], ['SUBMITTED', arnOf('night'), 50]);
    await assert.rejects(client.send(new DeleteQueueCommand({ Name: 'night' })), {
      name: 'ConflictException',
      message: /has jobs that are not over yet/,
    });
    await client.send(new CancelJobCommand({ Id: first }));
    await client.send(new UpdateQueueCommand({ Name: 'night', Status: 'ACTIVE' }));
    assert.equal((await jobEnd(client, second)).Status, 'ERROR');
    const listed = await client.send(new ListJobsCommand({ Queue: 'night', Order: 'ASCENDING' }));
    assert.deepEqual(
      listed.Jobs?.map(({ Id }) => Id),
      [first, second],
    );
    await client.send(new DeleteQueueCommand({ Name: arnOf('night') }));
    assert.equal((await client.send(new GetJobCommand({ Id: second }))).Job?.Queue, arnOf('night'));
    await assert.rejects(submit('night'), { name: 'NotFoundException', message: 'Queue not found: night' });
  });

  it('have among them the Default one, which can be paused and never deleted', async () => {
    await client.send(new UpdateQueueCommand({ Name: 'Default', Status: 'PAUSED' }));
    const job = await submit(undefined);
    const { Queue } = await client.send(new GetQueueCommand({ Name: 'Default' }));
    assert.deepEqual([Queue?.Status, Queue?.Type, Queue?.SubmittedJobsCount], ['PAUSED', 'SYSTEM', 1]);
    await assert.rejects(client.send(new DeleteQueueCommand({ Name: 'Default' })), { name: 'BadRequestException' });
    await assert.rejects(create({ Name: 'Default' }), { name: 'ConflictException' });
    await client.send(new UpdateQueueCommand({ Name: 'Default', Status: 'ACTIVE' }));
    assert.equal((await jobEnd(client, job)).Status, 'ERROR');
  });

  it('are reserved with a plan, whose slots cannot be given back', async () => {
    const plan = { Commitment: 'ONE_YEAR', RenewalType: 'EXPIRE', ReservedSlots: 2 } as const;
    await assert.rejects(create({ Name: 'reserved', PricingPlan: 'RESERVED' }), {
      name: 'BadRequestException',
      message: /reservationPlanSettings is a required property/,
    });
    await assert.rejects(create({ Name: 'reserved', ReservationPlanSettings: plan }), { name: 'BadRequestException' });
    const made = await create({ Name: 'reserved', PricingPlan: 'RESERVED', ReservationPlanSettings: plan });
    const { ReservationPlan } = made ?? {};
    assert.deepEqual([ReservationPlan?.Status, ReservationPlan?.ReservedSlots], ['ACTIVE', 2]);
    const term = (ReservationPlan?.ExpiresAt?.getTime() ?? 0) - (ReservationPlan?.PurchasedAt?.getTime() ?? 0);
    assert.equal(term, 365 * 86_400_000);
    const withSlots = (ReservedSlots: number) =>
      client.send(new UpdateQueueCommand({ Name: 'reserved', ReservationPlanSettings: { ...plan, ReservedSlots } }));
    await assert.rejects(withSlots(1), {
      name: 'BadRequestException',
      message: /^\/reservationPlanSettings\/reservedSlots: Should be greater than or equal to 2/,
    });
    assert.equal((await withSlots(3)).Queue?.ReservationPlan?.ReservedSlots, 3);
    const request = jobOf(role, 's3://source/film.mp4', [mp4Group({ destination: 's3://outputs/' })]);
    const accelerated = { ...request, Queue: 'reserved', AccelerationSettings: { Mode: 'ENABLED' } } as const;
    await assert.rejects(client.send(new CreateJobCommand(accelerated)), {
      name: 'BadRequestException',
      message: '/accelerationSettings/mode: Accelerated transcoding cannot be used in a RESERVED queue',
    });
    assert.equal((await jobEnd(client, await submit('reserved'))).Status, 'ERROR');
    await client.send(new DeleteQueueCommand({ Name: 'reserved' }));
  });

  it('are listed by name and by age, page by page, and are no more than ten', async () => {
    const names = ['b', 'a', 'i', 'c', 'h', 'd', 'g', 'e', 'f'];
    for (const Name of names) await create({ Name, ConcurrentJobs: 1 });
    await assert.rejects(create({ Name: 'eleventh' }), { name: 'ServiceQuotaExceededException' });
    const seen: string[] = [];
    let NextToken: string | undefined;
    do {
      const page = await client.send(new ListQueuesCommand({ ListBy: 'NAME', MaxResults: 4, NextToken }));
      seen.push(...(page.Queues ?? []).map(({ Name }) => Name ?? ''));
      ({ NextToken } = page);
    } while (NextToken !== undefined);
    assert.deepEqual(seen, ['Default', ...names.toSorted()]);
    const aged = await client.send(new ListQueuesCommand({ ListBy: 'CREATION_DATE', Order: 'ASCENDING' }));
    assert.deepEqual(
      aged.Queues?.map(({ Name }) => Name).filter((name) => name !== 'Default'),
      names,
    );
    assert.deepEqual([aged.TotalConcurrentJobs, aged.UnallocatedConcurrentJobs], [3, 0]);
    for (const Name of names) await client.send(new DeleteQueueCommand({ Name }));
  });

  it('refuse what they cannot do, by its name', async () => {
    await assert.rejects(create({ Name: 'feeds', MaximumConcurrentFeeds: 2 }), {
      name: 'BadRequestException',
      message: '/maximumConcurrentFeeds: Elemental Inference feeds are not supported',
    });
    await assert.rejects(create({ Name: 'none', ConcurrentJobs: 0 }), { name: 'BadRequestException' });
    await assert.rejects(create({ Name: 'a/b' }), { name: 'BadRequestException' });
    await assert.rejects(submit('arn:aws:mediaconvert:us-east-1:999999999999:queues/theirs'), {
      name: 'NotFoundException',
    });
    await assert.rejects(submit('arn:aws:mediaconvert:eu-west-1:123456789012:queues/Default'), {
      name: 'NotFoundException',
    });
    await assert.rejects(submit(undefined, 51), { name: 'BadRequestException' });
  });
});
