import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  CancelJobCommand,
  CreateJobCommand,
  type CreateJobRequest,
  CreateQueueCommand,
  GetJobCommand,
} from '@aws-sdk/client-mediaconvert';
import { silentLogger } from '#kernel/logger.ts';
import type { LoggedEvent } from '#storage/event-log/event-log.ts';
import { ConfigError, readConfig } from '../../bin/config.ts';
import { Server } from '../../bin/server.ts';
import { ClockedServer } from '../harness/clocked-server.ts';
import { readEvents, until } from '../harness/event-log.ts';
import { EventReceiver } from '../harness/event-receiver.ts';
import { MediaAccount } from '../harness/media-account.ts';
import { hlsLadder, jobEnd, jobOf, mp4Group } from '../harness/media-job.ts';
import { startTestPlatform } from '../harness/platform.ts';

describe('MediaConvert’s events', () => {
  let account: MediaAccount;
  let receiver: EventReceiver;

  before(async () => {
    receiver = await EventReceiver.start();
    account = await MediaAccount.start(8, { COFFER_MEDIA_WORKERS: '2', COFFER_EVENT_WEBHOOKS: receiver.address });
  });
  after(async () => {
    await account.stop();
    await receiver.stop();
  });

  async function submit(request: Partial<CreateJobRequest> = {}, input = account.source): Promise<string> {
    const job = jobOf(account.role, input, [mp4Group({ destination: 's3://outputs/mp4/' })]);
    const { Job } = await account.media.send(new CreateJobCommand({ ...job, ...request }));
    return Job?.Id ?? '';
  }

  async function eventsOf(id: string): Promise<LoggedEvent[]> {
    const events = await readEvents(account.platform.dataFolder, 'aws.mediaconvert');
    return events.filter(({ detail }) => detail['jobId'] === id);
  }

  const statusOf = ({ detail }: LoggedEvent) => String(detail['status']);

  it('tell a job from its beginning to its end, with the files that it wrote', async () => {
    const groups = [
      mp4Group({ destination: 's3://outputs/mp4/' }),
      hlsLadder({ destination: 's3://outputs/hls/film' }),
    ];
    const { Settings } = jobOf(account.role, account.source, groups);
    const id = await submit({ Settings, UserMetadata: { title: 'Holiday' } });
    assert.equal((await jobEnd(account.media, id)).Status, 'COMPLETE');
    const events = await eventsOf(id);
    assert.deepEqual(
      events.map(statusOf).filter((status) => status !== 'STATUS_UPDATE'),
      ['PROGRESSING', 'INPUT_INFORMATION', 'COMPLETE'],
    );
    const { accountId } = account.platform;
    for (const event of events) {
      assert.deepEqual(
        [event.source, event['detail-type'], event.account, event.region, event.resources],
        [
          'aws.mediaconvert',
          'MediaConvert Job State Change',
          accountId,
          'us-east-1',
          [`arn:aws:mediaconvert:us-east-1:${accountId}:jobs/${id}`],
        ],
      );
      assert.equal(event.detail['queue'], `arn:aws:mediaconvert:us-east-1:${accountId}:queues/Default`);
      assert.deepEqual(event.detail['userMetadata'], { title: 'Holiday' });
      assert.equal(event.detail['accountId'], accountId);
      assert.equal(typeof event.detail['timestamp'], 'number');
    }
    const complete = events.at(-1);
    assert.deepEqual(withoutBitrates(complete?.detail['outputGroupDetails']), [
      {
        type: 'FILE_GROUP',
        outputDetails: [
          {
            durationInMs: 8000,
            outputFilePaths: ['s3://outputs/mp4/holiday-180p.mp4'],
            videoDetails: { widthInPx: 320, heightInPx: 180 },
          },
        ],
      },
      {
        type: 'HLS_GROUP',
        playlistFilePaths: ['s3://outputs/hls/film.m3u8'],
        outputDetails: [180, 90].map((height) => ({
          durationInMs: 8000,
          outputFilePaths: [`s3://outputs/hls/film_${height}.m3u8`],
          videoDetails: { widthInPx: (height * 16) / 9, heightInPx: height },
        })),
      },
    ]);
    const [input] = events.filter((event) => statusOf(event) === 'INPUT_INFORMATION');
    assert.ok(input);
    const [details] = input.detail['inputDetails'] as [{ uri: string; video: object[]; audio: object[] }];
    assert.equal(details.uri, account.source);
    assert.deepEqual(details.video, [
      { codec: 'H264', frameRate: 30, height: 180, sar: '1:1', streamId: 1, width: 320 },
    ]);
    assert.equal(details.audio.length, 1);
  });

  it('tell of errors and of cancellations', async () => {
    const failed = await submit({}, 's3://source/absent.mp4');
    await jobEnd(account.media, failed);
    const [, error] = await eventsOf(failed);
    assert.deepEqual([error && statusOf(error), error?.detail['errorCode']], ['ERROR', 1404]);
    assert.match(String(error?.detail['errorMessage']), /^Unable to open input file/);
    await account.media.send(new CreateQueueCommand({ Name: 'paused', Status: 'PAUSED' }));
    const waiting = await submit({ Queue: 'paused' });
    await account.media.send(new CancelJobCommand({ Id: waiting }));
    assert.deepEqual((await eventsOf(waiting)).map(statusOf), ['CANCELED']);
  });

  it('show that a queue has no more jobs at once than it has slots', async () => {
    await account.media.send(new CreateQueueCommand({ Name: 'single', ConcurrentJobs: 1 }));
    const ids = [await submit({ Queue: 'single' }), await submit({ Queue: 'single' }), await submit()];
    for (const id of ids) assert.equal((await jobEnd(account.media, id)).Status, 'COMPLETE');
    const events = await readEvents(account.platform.dataFolder, 'aws.mediaconvert');
    const order = events
      .filter((event) => ['PROGRESSING', 'COMPLETE'].includes(statusOf(event)))
      .filter(({ detail }) => ids.includes(String(detail['jobId'])))
      .map((event) => `${ids.indexOf(String(event.detail['jobId']))} ${statusOf(event)}`);
    const ofSingle = order.filter((text) => !text.startsWith('2'));
    assert.deepEqual(ofSingle, ['0 PROGRESSING', '0 COMPLETE', '1 PROGRESSING', '1 COMPLETE']);
    assert.ok(order.indexOf('2 PROGRESSING') < order.indexOf('0 COMPLETE'), `nothing ran beside it: ${order.join()}`);
  });

  it('come to the webhooks in the same order', async () => {
    const logged = await readEvents(account.platform.dataFolder);
    assert.ok(logged.length > 5);
    await until(async () => (receiver.events.length >= logged.length ? true : undefined));
    assert.deepEqual(receiver.events.slice(0, logged.length), logged);
  });
});

describe('a status update', () => {
  it('comes in the interval that the job asks for', async () => {
    const server = await ClockedServer.start(undefined, { COFFER_MEDIA_WORKERS: '1' });
    const account = await MediaAccount.on(server, 60);
    const { mediaconvert, events } = server.parts.services;
    mediaconvert.runner.start(server.endpoint);
    const job = jobOf(account.role, account.source, [mp4Group({ destination: 's3://outputs/mp4/' })]);
    const { Job } = await account.media.send(new CreateJobCommand({ ...job, StatusUpdateInterval: 'SECONDS_12' }));
    await until(async () => {
      const { Job: now } = await account.media.send(new GetJobCommand({ Id: Job?.Id }));
      assert.notEqual(now?.Status, 'ERROR', now?.ErrorMessage ?? '');
      return now?.CurrentPhase === 'TRANSCODING' && (now.JobPercentComplete ?? 0) > 0 ? true : undefined;
    });
    const updates = async () => {
      const found: LoggedEvent[] = [];
      for await (const { event } of events.read({ after: 0, from: 0 })) {
        if (event.detail['status'] === 'STATUS_UPDATE') found.push(event);
      }
      return found;
    };
    assert.deepEqual(await updates(), []);
    server.pass(12);
    const [update] = await until(async () => {
      const found = await updates();
      return found.length > 0 ? found : undefined;
    });
    const progress = update?.detail['jobProgress'] as Record<string, unknown>;
    assert.ok(Number(update?.detail['framesDecoded']) > 0);
    assert.deepEqual([progress['currentPhase'], progress['retryCount']], ['TRANSCODING', 0]);
    const percent = Number(progress['jobPercentComplete']);
    assert.ok(percent > 0 && percent < 100, String(percent));
    assert.deepEqual(progress['phaseProgress'], {
      PROBING: { status: 'COMPLETE', percentComplete: 100 },
      TRANSCODING: { status: 'PROGRESSING', percentComplete: percent },
      UPLOADING: { status: 'PENDING', percentComplete: 0 },
    });
    await account.media.send(new CancelJobCommand({ Id: Job?.Id }));
    await mediaconvert.runner.stop();
    await events.close();
    await account.stop();
  });
});

describe('webhooks', () => {
  it('are sent an event again until they take it, also after a restart, and follow no redirection', async () => {
    const receiver = await EventReceiver.start();
    receiver.onEvent = () => (receiver.attempts % 2 === 1 ? 500 : 302);
    const account = await MediaAccount.start(1, { COFFER_EVENT_WEBHOOKS: receiver.address });
    const { environment, dataFolder } = account.platform;
    const job = jobOf(account.role, 's3://source/absent.mp4', [mp4Group({ destination: 's3://outputs/' })]);
    const { Job } = await account.media.send(new CreateJobCommand(job));
    await jobEnd(account.media, Job?.Id);
    const logged = await readEvents(dataFolder);
    assert.equal(logged.length, 2);
    await until(async () => (receiver.attempts >= 2 ? true : undefined));
    assert.deepEqual(receiver.events, []);
    await account.platform.server.stop();
    receiver.onEvent = () => 200;
    const again = await Server.start(readConfig({}, environment), environment, silentLogger);
    await until(async () => (receiver.events.length >= 2 ? true : undefined));
    assert.deepEqual(receiver.events, logged);
    await again.stop();
    await receiver.stop();
    account.media.destroy();
    account.s3.destroy();
  });

  it('are addresses of https, or of this machine', async () => {
    const read = (COFFER_EVENT_WEBHOOKS: string) => readConfig({}, { COFFER_EVENT_WEBHOOKS }).eventWebhooks;
    assert.deepEqual(read('https://ops.example.com/hook,http://127.0.0.1:8080/'), [
      'https://ops.example.com/hook',
      'http://127.0.0.1:8080/',
    ]);
    for (const wrong of ['http://ops.example.com/', 'https://user:password@ops.example.com/', 'ftp://127.0.0.1/']) {
      assert.throws(() => read(wrong), ConfigError, wrong);
    }
    await using platform = await startTestPlatform();
    assert.deepEqual(await readEvents(platform.dataFolder), []);
  });
});

function withoutBitrates(groups: unknown): unknown {
  return JSON.parse(JSON.stringify(groups, (name, value: unknown) => (name === 'averageBitrate' ? undefined : value)));
}
