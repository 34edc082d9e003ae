import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import {
  CreateJobCommand,
  type CreateJobRequest,
  CreateQueueCommand,
  DeleteQueueCommand,
  GetJobCommand,
  GetQueueCommand,
  type HopDestination,
  type Job,
  ListJobsCommand,
  MediaConvertClient,
  SearchJobsCommand,
  UpdateQueueCommand,
} from '@aws-sdk/client-mediaconvert';
import { pruneRecords } from '#services/mediaconvert/maintenance.ts';
import type { LoggedEvent } from '#storage/event-log/event-log.ts';
import { ClockedServer } from '../harness/clocked-server.ts';
import { until } from '../harness/event-log.ts';
import { jobOf, mp4Group } from '../harness/media-job.ts';

/** One job at a time, on a clock that the test turns, and a runner that begins when the test says so. */
describe('MediaConvert’s scheduling', () => {
  let server: ClockedServer;
  let client: MediaConvertClient;

  beforeEach(async () => {
    server = await ClockedServer.start(undefined, { COFFER_MEDIA_WORKERS: '1' });
    client = new MediaConvertClient(server.clientConfig());
    // It signs by the server's clock, and does not learn another one from the answers.
    Object.defineProperty(client.config, 'systemClockOffset', {
      get: () => server.parts.now - Date.now(),
      set() {},
    });
  });
  afterEach(async () => {
    client.destroy();
    await server.parts.services.mediaconvert.runner.stop();
    await server.parts.services.events.close();
    await server.stop();
  });

  const runner = () => server.parts.services.mediaconvert.runner;
  const queueArn = (name: string) => `arn:aws:mediaconvert:us-east-1:${server.accountId}:queues/${name}`;

  const pass = (minutes: number) => server.pass(minutes * 60);

  async function submit(name: string, more: Partial<CreateJobRequest> = {}): Promise<string> {
    // There is no such role: a job ends as soon as it has begun.
    const role = `arn:aws:iam::${server.accountId}:role/Absent`;
    const request = jobOf(role, `s3://source/${name}.mp4`, [mp4Group({ destination: 's3://outputs/' })]);
    const { Job } = await client.send(new CreateJobCommand({ ...request, UserMetadata: { name }, ...more }));
    return Job?.Id ?? '';
  }

  async function job(id: string): Promise<Job> {
    const { Job: found } = await client.send(new GetJobCommand({ Id: id }));
    assert.ok(found);
    return found;
  }

  async function events(status: string): Promise<LoggedEvent[]> {
    const found: LoggedEvent[] = [];
    for await (const { event } of server.parts.services.events.read({ after: 0, from: 0 })) {
      if (event.detail['status'] === status) found.push(event);
    }
    return found;
  }

  const ended = (id: string) =>
    until(async () => {
      const found = await job(id);
      return found.Status === 'ERROR' ? found : undefined;
    });

  it('takes the queues in turn, of each the highest priority first, and the older of equals', async () => {
    for (const Name of ['one', 'two']) await client.send(new CreateQueueCommand({ Name }));
    for (const [name, Queue, Priority] of [
      ['a', 'one', 0],
      ['b', 'one', 0],
      ['c', 'one', 10],
      ['d', 'one', -50],
      ['e', 'two', -10],
      ['f', 'two', 50],
    ] as const) {
      await submit(name, { Queue, Priority });
      server.parts.now += 1;
    }
    runner().start(server.endpoint);
    const begun = await until(async () => {
      const found = await events('PROGRESSING');
      return found.length === 6 ? found : undefined;
    });
    const names = begun.map(({ detail }) => (detail['userMetadata'] as { name: string }).name);
    assert.equal(names.filter((name) => 'abcd'.includes(name)).join(''), 'cabd');
    assert.equal(names.filter((name) => 'ef'.includes(name)).join(''), 'fe');
    const first = names.slice(0, 4).filter((name) => 'ef'.includes(name));
    assert.equal(first.length, 2, `the queues had no turns: ${names.join('')}`);
  });

  it('moves a job that waits too long to another queue, and tells it', async () => {
    const plan = { Commitment: 'ONE_YEAR', RenewalType: 'EXPIRE', ReservedSlots: 1 } as const;
    const reserved = { Name: 'reserved', PricingPlan: 'RESERVED', ReservationPlanSettings: plan } as const;
    await client.send(new CreateQueueCommand(reserved));
    await client.send(new CreateQueueCommand({ Name: 'spare', Status: 'PAUSED' }));
    // A plan that has expired: its queue takes jobs, and does none.
    pass(366 * 24 * 60);
    const { Queue } = await client.send(new GetQueueCommand({ Name: 'reserved' }));
    assert.equal(Queue?.ReservationPlan?.Status, 'EXPIRED');
    const HopDestinations: HopDestination[] = [
      { WaitMinutes: 20, Priority: -5 },
      { WaitMinutes: 10, Queue: queueArn('spare'), Priority: 7 },
    ];
    const id = await submit('hopper', { Queue: 'reserved', Priority: 3, HopDestinations });
    runner().start(server.endpoint);
    pass(9);
    runner().wake();
    assert.deepEqual([(await job(id)).Status, (await job(id)).QueueTransitions], ['SUBMITTED', undefined]);
    pass(2);
    runner().wake();
    const hopped = await until(async () => {
      const found = await job(id);
      return found.QueueTransitions === undefined ? undefined : found;
    });
    assert.deepEqual([hopped.Queue, hopped.Priority, hopped.Status], [queueArn('reserved'), 3, 'SUBMITTED']);
    assert.deepEqual(hopped.HopDestinations, HopDestinations);
    const [transition] = hopped.QueueTransitions ?? [];
    assert.deepEqual(
      [transition?.SourceQueue, transition?.DestinationQueue],
      [queueArn('reserved'), queueArn('spare')],
    );
    const [event] = await events('QUEUE_HOP');
    assert.deepEqual(
      [event?.detail['queue'], event?.detail['previousQueue'], event?.detail['priority']],
      [queueArn('spare'), queueArn('reserved'), 7],
    );
    assert.equal(event?.detail['previousPriority'], 3);
    await assert.rejects(client.send(new DeleteQueueCommand({ Name: 'spare' })), { name: 'ConflictException' });
    await client.send(new DeleteQueueCommand({ Name: 'reserved' }));
    // No job leaves a queue that is paused.
    pass(60);
    runner().wake();
    assert.equal((await job(id)).QueueTransitions?.length, 1);
    await client.send(new UpdateQueueCommand({ Name: 'spare', Status: 'ACTIVE' }));
    // With none before it, it begins where it is.
    const end = await ended(id);
    assert.equal(end.QueueTransitions?.length, 1);
    const { Jobs } = await client.send(new ListJobsCommand({ Queue: 'reserved' }));
    assert.deepEqual(
      Jobs?.map(({ Id }) => Id),
      [id],
    );
  });

  it('warns when the queue to which a job is to hop is gone', async () => {
    await client.send(new CreateQueueCommand({ Name: 'other' }));
    await client.send(new UpdateQueueCommand({ Name: 'Default', Status: 'PAUSED' }));
    const id = await submit('stuck', { HopDestinations: [{ WaitMinutes: 1, Queue: 'other' }] });
    await client.send(new DeleteQueueCommand({ Name: 'other' }));
    pass(5);
    await client.send(new UpdateQueueCommand({ Name: 'Default', Status: 'ACTIVE' }));
    await submit('ahead', { Priority: 50 });
    // Both are due at once: the one ahead is taken, and the other hops or waits.
    runner().start(server.endpoint);
    const end = await ended(id);
    const warned = end.Warnings ?? [];
    const told = await events('NEW_WARNING');
    assert.deepEqual(warned, [{ Code: 100_000, Count: 1 }]);
    assert.match(end.Messages?.Warning?.[0] ?? '', /cannot hop to the queue other/);
    assert.equal(told.length, 1);
  });

  it('refuses hops that lead nowhere', async () => {
    const refused = async (HopDestinations: HopDestination[], message: RegExp, Queue?: string) =>
      assert.rejects(submit('x', { HopDestinations, Queue }), { name: 'BadRequestException', message });
    await client.send(new CreateQueueCommand({ Name: 'other' }));
    await refused([{ WaitMinutes: 5 }], /^\/hopDestinations\/0: queue is a required property/);
    await refused([{ WaitMinutes: 5, Queue: 'other' }], /\/hopDestinations\/0\/queue: Should be another/, 'other');
    await refused([{ Queue: 'other' }], /^\/hopDestinations\/0: waitMinutes is a required property/);
    await refused([{ WaitMinutes: 4321, Queue: 'other' }], /waitMinutes: Should be between 1 and 4320/);
    await refused([{ WaitMinutes: 5, Queue: 'absent' }], /\/hopDestinations\/0\/queue: There is no such queue/);
    await refused([{ WaitMinutes: 5, Queue: 'other', Priority: 99 }], /less than or equal to 50/);
  });

  it('keeps the records of jobs for three months', async () => {
    const old = await submit('old');
    runner().start(server.endpoint);
    await ended(old);
    pass(91 * 24 * 60);
    const { mediaconvert } = server.parts.services;
    assert.deepEqual((await client.send(new SearchJobsCommand({}))).Jobs, []);
    await pruneRecords(mediaconvert.store, server.parts.now);
    await assert.rejects(client.send(new GetJobCommand({ Id: old })), { name: 'NotFoundException' });
  });
});
