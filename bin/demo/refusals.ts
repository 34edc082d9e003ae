import { DisableKeyCommand, EnableKeyCommand } from '@aws-sdk/client-kms';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { runJob, singleSettings } from './jobs.ts';
import type { Narrator } from './narrator.ts';
import { grantKey } from './prepare.ts';
import type { Credentials, Stage } from './stage.ts';

/** Each thing that must not work, tried. */
export async function showRefusals(
  stage: Stage,
  narrator: Narrator,
  facts: {
    readonly keyArn: string;
    readonly reader: Credentials;
    readonly inputUri: string;
    readonly outputKey: string;
  },
): Promise<void> {
  const { keyArn, reader, inputUri, outputKey } = facts;
  const output = { Bucket: stage.outputBucket, Key: outputKey };

  const bare = { Bucket: stage.outputBucket, Key: 'bare.txt', Body: 'no header' };
  const upload = await refusalOf(stage.s3.send(new PutObjectCommand(bare)));
  narrator.claim('An upload without the encryption header is refused', upload?.name === 'AccessDenied', told(upload));

  const reading = await refusalOf(stage.s3As(reader).send(new GetObjectCommand(output)));
  narrator.claim('A reader without kms:Decrypt is refused', reading?.name === 'AccessDenied', told(reading));

  await grantKey(stage, stage.roleName, keyArn, ['kms:Decrypt']);
  const job = await runJob(stage, narrator, singleSettings(stage, keyArn, inputUri, 'refused'));
  narrator.claim(
    'A job whose role lacks kms:GenerateDataKey ends in ERROR, and says why',
    job.Status === 'ERROR' && (job.ErrorMessage ?? '').includes('kms:GenerateDataKey'),
    `error ${job.ErrorCode}: ${job.ErrorMessage}`,
  );
  await grantKey(stage, stage.roleName, keyArn, ['kms:Decrypt', 'kms:GenerateDataKey']);

  await stage.kms.send(new DisableKeyCommand({ KeyId: keyArn }));
  const disabled = await refusalOf(download(stage, output));
  narrator.claim(
    'With the key disabled nobody reads, not even the account’s root',
    disabled !== undefined,
    told(disabled),
  );
  await stage.kms.send(new EnableKeyCommand({ KeyId: keyArn }));
  const enabled = await refusalOf(download(stage, output));
  narrator.claim('Enabled again, it reads again', enabled === undefined, told(enabled));
}

async function download(stage: Stage, object: { readonly Bucket: string; readonly Key: string }): Promise<void> {
  const { Body } = await stage.s3.send(new GetObjectCommand(object));
  await Body?.transformToByteArray();
}

async function refusalOf(call: Promise<unknown>): Promise<Error | undefined> {
  try {
    await call;
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function told(error: Error | undefined): string {
  return error === undefined ? '' : `${error.name}: ${error.message}`;
}
