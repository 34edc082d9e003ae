import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { MediaConvertClient } from '@aws-sdk/client-mediaconvert';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { makeTestVideo } from '#media/test-video.ts';
import { type ClientConfig, startTestPlatform, type TestPlatform } from './platform.ts';

/** What talks to the account: the platform, or a server on a clock of its own. */
export interface MediaServer extends Pick<TestPlatform, 'accountId' | 'stop'> {
  clientConfig(): ClientConfig;
}

/** An account with buckets `source` and `outputs`, a film in the former, and a role for its jobs. */
export class MediaAccount<Platform extends MediaServer = TestPlatform> {
  readonly platform: Platform;
  readonly media: MediaConvertClient;
  readonly s3: S3Client;
  readonly role: string;
  readonly source = 's3://source/films/holiday.mp4';

  private constructor(platform: Platform, role: string) {
    const config = platform.clientConfig();
    this.platform = platform;
    this.media = new MediaConvertClient(config);
    this.s3 = new S3Client(config);
    this.role = role;
  }

  /** @param seconds of the film, 320 × 180 */
  static async start(seconds: number, environment: NodeJS.ProcessEnv = {}): Promise<MediaAccount> {
    return MediaAccount.on(await startTestPlatform(environment), seconds);
  }

  /** As `start`, on a server that runs already. */
  static async on<Platform extends MediaServer>(platform: Platform, seconds: number): Promise<MediaAccount<Platform>> {
    const account = new MediaAccount(platform, await makeRole(platform));
    for (const Bucket of ['source', 'outputs']) await account.s3.send(new CreateBucketCommand({ Bucket }));
    const Body = await makeTestVideo({ seconds, width: 320, height: 180 });
    await account.s3.send(new PutObjectCommand({ Bucket: 'source', Key: 'films/holiday.mp4', Body }));
    return account;
  }

  async download(Key: string): Promise<Buffer> {
    const answer = await this.s3.send(new GetObjectCommand({ Bucket: 'outputs', Key }));
    return Buffer.from((await answer.Body?.transformToByteArray()) ?? []);
  }

  async stop(): Promise<void> {
    this.media.destroy();
    this.s3.destroy();
    await this.platform.stop();
  }
}

async function makeRole(platform: MediaServer): Promise<string> {
  const iam = new IAMClient(platform.clientConfig());
  const document = (statement: object) => JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
  const Principal = { Service: 'mediaconvert.amazonaws.com' };
  const trust = document({ Effect: 'Allow', Principal, Action: 'sts:AssumeRole' });
  const made = await iam.send(new CreateRoleCommand({ RoleName: 'Media', AssumeRolePolicyDocument: trust }));
  const PolicyDocument = document({ Effect: 'Allow', Action: 's3:*', Resource: '*' });
  await iam.send(new PutRolePolicyCommand({ RoleName: 'Media', PolicyName: 'media', PolicyDocument }));
  iam.destroy();
  return made.Role?.Arn ?? '';
}
