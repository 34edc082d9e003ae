import assert from 'node:assert/strict';
import { createHash, randomBytes, randomInt } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import {
  ChangePasswordCommand,
  CreateAccessKeyCommand,
  CreateLoginProfileCommand,
  CreateRoleCommand,
  CreateUserCommand,
  IAMClient,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
  UpdateAccountPasswordPolicyCommand,
  UploadServerCertificateCommand,
  CreateVirtualMFADeviceCommand,
  EnableMFADeviceCommand,
} from '@aws-sdk/client-iam';
import {
  CreateKeyCommand,
  DecryptCommand,
  DisableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateRandomCommand,
  KMSClient,
} from '@aws-sdk/client-kms';
import {
  CreateFlowCommand,
  DescribeFlowCommand,
  MediaConnectClient,
  StartFlowCommand,
} from '@aws-sdk/client-mediaconnect';
import {
  CreateJobCommand,
  CreateJobTemplateCommand,
  GetJobCommand,
  MediaConvertClient,
} from '@aws-sdk/client-mediaconvert';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import {
  CreateSecretCommand,
  GetRandomPasswordCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretCommand,
} from '@aws-sdk/client-secrets-manager';
import {
  AssumeRoleCommand,
  GetCallerIdentityCommand,
  GetFederationTokenCommand,
  GetSessionTokenCommand,
  STSClient,
} from '@aws-sdk/client-sts';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { readResponse } from '#media/cpix/read-document.ts';
import { issueCertificate } from '../harness/certificates.ts';
import { CofferHome, clientConfig } from '../harness/coffer-home.ts';
import { filesUnder } from '../harness/files-under.ts';
import { useKeyKinds } from '../harness/key-kind-secrets.ts';
import { callKeyProvider } from '../harness/key-provider.ts';
import { mp4Group } from '../harness/media-job.ts';
import type { ClientConfig } from '../harness/platform.ts';
import { signInByOthers } from '../harness/sign-in-by-others.ts';

const BUCKET = 'secrets-of-the-test';
const PASSPHRASE = 'the passphrase of this very test';

/** Everything that may be known to a client, and may lie nowhere. */
class Secrets {
  readonly #needles = new Map<string, Buffer>();

  /** Text, as it is. */
  addText(name: string, text: string | undefined): string {
    assert.ok(text !== undefined && text.length >= 16, `${name} is long enough to be looked for`);
    this.#needles.set(name, Buffer.from(text));
    return text;
  }

  /** Bytes: as they are, in base64 and in hexadecimal digits. */
  addBytes(name: string, bytes: Uint8Array | undefined): Buffer {
    assert.ok(bytes !== undefined && bytes.length >= 16, `${name} is long enough to be looked for`);
    const buffer = Buffer.from(bytes).subarray(0, 48);
    this.#needles.set(name, buffer);
    // Base64 of the inner bytes, whatever stands before them.
    for (const shift of [0, 1, 2]) {
      const inner = buffer.subarray(shift, shift + Math.floor((buffer.length - shift) / 3) * 3);
      this.#needles.set(`${name} (base64 at ${shift})`, Buffer.from(inner.toString('base64')));
    }
    this.#needles.set(`${name} (hex)`, Buffer.from(buffer.toString('hex')));
    return Buffer.from(bytes);
  }

  get count(): number {
    return this.#needles.size;
  }

  foundIn(bytes: Buffer): string[] {
    return [...this.#needles].filter(([, needle]) => bytes.includes(needle)).map(([name]) => name);
  }
}

/** Sends a command that must fail; its error is printed by clients, and so must tell nothing either. */
async function failing(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => assert.fail('it should have been refused'),
    (error: unknown) => `${String(error)} ${JSON.stringify(error)}`,
  );
}

it('no secret lies in the data folder, in the log at its most talkative, or in an error', async () => {
  await using home = await CofferHome.make();
  const secrets = new Secrets();
  const temporary = join(home.folder, 'tmp');
  await mkdir(temporary);
  const passphraseFile = join(home.folder, 'passphrase');
  await writeFile(passphraseFile, `${secrets.addText('the passphrase', PASSPHRASE)}\n`);
  await chmod(passphraseFile, 0o600);
  const settings = {
    COFFER_ROOT_PASSPHRASE_FILE: passphraseFile,
    COFFER_ALLOW_INSECURE_SSE_C: '1',
    TMPDIR: temporary,
  };
  const server = await home.start(['--log-level', 'debug'], settings);
  const { AWS_ACCESS_KEY_ID: rootId, AWS_SECRET_ACCESS_KEY: rootSecret } = await home.rootEnvironment(settings);
  secrets.addText('the root user’s secret', rootSecret);
  const created = JSON.parse((await home.run(['account', 'create'], settings)).stdout) as Record<string, string>;
  secrets.addText('the secret of another account', created['secretAccessKey']);

  const errors = await useEverything(clientConfig(server.endpoint, rootId, rootSecret), secrets);
  assert.ok(errors.length >= 10);
  const verified = await home.run(['verify'], settings);
  assert.equal(verified.code, 0, verified.stdout);
  const { stdout, stderr } = await server.end('SIGTERM');
  assert.match(stderr, /"level":20/, 'it was logged at debug level');

  // The search itself is tried on what holds the secrets.
  assert.ok(secrets.count > 30);
  assert.deepEqual(secrets.foundIn(await readFile(passphraseFile)), ['the passphrase']);

  assert.deepEqual(secrets.foundIn(Buffer.from(stdout)), [], 'standard output');
  assert.deepEqual(secrets.foundIn(Buffer.from(stderr)), [], 'the log');
  assert.deepEqual(secrets.foundIn(Buffer.from(verified.stdout + verified.stderr)), [], 'what verify prints');
  for (const error of errors) assert.deepEqual(secrets.foundIn(Buffer.from(error)), [], error);
  const files = await filesUnder(home.dataFolder);
  assert.ok(files.length > 5);
  for (const file of [...files, ...(await filesUnder(temporary))]) {
    assert.deepEqual(secrets.foundIn(await readFile(file)), [], file);
  }
});

async function useEverything(root: ClientConfig, secrets: Secrets): Promise<string[]> {
  const { endpoint } = root;
  const errors: string[] = [];
  const iam = new IAMClient(root);
  const kms = new KMSClient(root);
  const s3 = new S3Client(root);
  const sts = new STSClient(root);

  // Users, roles, sessions.
  await iam.send(new CreateUserCommand({ UserName: 'ann' }));
  const allow = (Action: string) =>
    JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action, Resource: '*' }] });
  await iam.send(new PutUserPolicyCommand({ UserName: 'ann', PolicyName: 'p', PolicyDocument: allow('sts:*') }));
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'ann' }));
  const annId = AccessKey?.AccessKeyId ?? '';
  const annSecret = secrets.addText('a user’s secret', AccessKey?.SecretAccessKey);
  const ann = clientConfig(endpoint, annId, annSecret);
  const annSts = new STSClient(ann);
  const { Account } = await annSts.send(new GetCallerIdentityCommand({}));
  const trust = {
    Effect: 'Allow',
    Principal: { AWS: `arn:aws:iam::${Account}:root`, Service: 'mediaconvert.amazonaws.com' },
    Action: ['sts:AssumeRole', 'sts:TagSession'],
  };
  const AssumeRolePolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [trust] });
  const { Role } = await iam.send(new CreateRoleCommand({ RoleName: 'worker', AssumeRolePolicyDocument }));
  await iam.send(new PutRolePolicyCommand({ RoleName: 'worker', PolicyName: 'p', PolicyDocument: allow('s3:*') }));
  const assumed = await annSts.send(new AssumeRoleCommand({ RoleArn: Role?.Arn ?? '', RoleSessionName: 'session' }));
  const phone = await iam.send(new CreateVirtualMFADeviceCommand({ VirtualMFADeviceName: 'phone' }));
  secrets.addText('an MFA seed', Buffer.from(phone.VirtualMFADevice?.Base32StringSeed ?? []).toString());
  const wrongCodes = { AuthenticationCode1: '000000', AuthenticationCode2: '000000' };
  const SerialNumber = phone.VirtualMFADevice?.SerialNumber;
  errors.push(await failing(iam.send(new EnableMFADeviceCommand({ UserName: 'ann', SerialNumber, ...wrongCodes }))));
  const federated = await annSts.send(new GetFederationTokenCommand({ Name: 'carol' }));
  secrets.addText('a federated user’s secret', federated.Credentials?.SecretAccessKey);
  secrets.addText('a federated user’s token', federated.Credentials?.SessionToken?.slice(0, 200));
  errors.push(...(await signInByOthers(root, (name, text) => secrets.addText(name, text))));
  secrets.addText('a session’s secret', assumed.Credentials?.SecretAccessKey);
  secrets.addText('a session’s token', assumed.Credentials?.SessionToken?.slice(0, 200));
  const own = await annSts.send(new GetSessionTokenCommand({}));
  secrets.addText('a user session’s secret', own.Credentials?.SecretAccessKey);
  secrets.addText('a user session’s token', own.Credentials?.SessionToken?.slice(0, 200));
  const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = assumed.Credentials ?? {};
  const asRole = new S3Client(clientConfig(endpoint, AccessKeyId, SecretAccessKey, SessionToken));
  const asRoleKms = new KMSClient(clientConfig(endpoint, AccessKeyId, SecretAccessKey, SessionToken));

  const Password = secrets.addText('a password', `Pass-${randomBytes(20).toString('hex')}`);
  await iam.send(new CreateLoginProfileCommand({ UserName: 'ann', Password }));
  const { certificate, key } = issueCertificate('films.example');
  // One of its lines: in JSON the ends of lines are written otherwise.
  secrets.addText('a certificate’s private key', key.split('\n')[1]);
  const files = { CertificateBody: certificate, PrivateKey: key };
  await iam.send(new UploadServerCertificateCommand({ ServerCertificateName: 'films', ...files }));
  const ServerCertificateName = 'broken';
  const brokenUpload = new UploadServerCertificateCommand({ ServerCertificateName, ...files, CertificateBody: 'none' });
  errors.push(await failing(iam.send(brokenUpload)));
  const OldPassword = secrets.addText('a wrong password', `Wrong-${randomBytes(20).toString('hex')}`);
  const NewPassword = secrets.addText('a new password', `New-${randomBytes(20).toString('hex')}`);
  const annIam = new IAMClient(ann);
  await iam.send(new UpdateAccountPasswordPolicyCommand({ AllowUsersToChangePassword: true }));
  errors.push(await failing(annIam.send(new ChangePasswordCommand({ OldPassword, NewPassword }))));
  await annIam.send(new ChangePasswordCommand({ OldPassword: Password, NewPassword }));
  annIam.destroy();

  // Keys and what is under them.
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
  const KeyId = KeyMetadata?.Arn ?? '';
  const Plaintext = secrets.addBytes('a KMS plaintext', randomBytes(64));
  const { CiphertextBlob = new Uint8Array() } = await kms.send(new EncryptCommand({ KeyId, Plaintext }));
  await kms.send(new DecryptCommand({ CiphertextBlob }));
  const dataKey = await kms.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' }));
  secrets.addBytes('a data key', dataKey.Plaintext);
  secrets.addBytes('random bytes', (await kms.send(new GenerateRandomCommand({ NumberOfBytes: 64 }))).Plaintext);
  for (const refused of await useKeyKinds(kms, KeyId, secrets)) errors.push(await failing(refused()));
  const tampered = Buffer.from(CiphertextBlob);
  tampered[tampered.length - 1] = (tampered[tampered.length - 1] ?? 0) ^ 1;
  errors.push(await failing(kms.send(new DecryptCommand({ CiphertextBlob: tampered }))));
  errors.push(await failing(kms.send(new EncryptCommand({ KeyId: 'no-such-key', Plaintext }))));
  errors.push(
    await failing(kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.concat(Array(100).fill(Plaintext)) }))),
  );
  errors.push(await failing(asRoleKms.send(new EncryptCommand({ KeyId, Plaintext }))));

  // Objects of every kind and size, by every way.
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  const customerKey = secrets.addBytes('a customer’s key', randomBytes(32));
  const customer = {
    SSECustomerAlgorithm: 'AES256',
    SSECustomerKey: customerKey.toString('base64'),
    SSECustomerKeyMD5: createHash('md5').update(customerKey).digest('base64'),
  };
  const byKey = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: KeyId } as const;
  for (const size of [48, 5000, 400_000]) {
    for (const [name, how] of [
      ['service', {}],
      ['kms', byKey],
      ['bucket-key', { ...byKey, BucketKeyEnabled: true }],
      ['customer', customer],
    ] as const) {
      const Key = `${name}/${size}`;
      const Body = secrets.addBytes(`the object ${Key}`, randomBytes(size));
      await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body, ChecksumAlgorithm: 'SHA256', ...how }));
      const read = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key, ...(name === 'customer' && customer) }));
      await read.Body?.transformToByteArray();
    }
  }
  await s3.send(new CopyObjectCommand({ Bucket: BUCKET, Key: 'copy', CopySource: `${BUCKET}/kms/400000` }));
  for (const isCompleted of [true, false]) {
    const Key = isCompleted ? 'completed' : 'unfinished';
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key, ...byKey }));
    const Body = secrets.addBytes(`the part of ${Key}`, randomBytes(300_000));
    const { ETag } = await s3.send(new UploadPartCommand({ Bucket: BUCKET, Key, UploadId, PartNumber: 1, Body }));
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
    if (isCompleted)
      await s3.send(new CompleteMultipartUploadCommand({ Bucket: BUCKET, Key, UploadId, MultipartUpload }));
  }
  const address = await getSignedUrl(asRole, new GetObjectCommand({ Bucket: BUCKET, Key: 'service/5000' }));
  assert.equal((await fetch(address)).status, 200);
  errors.push(await (await fetch(`${address}0`)).text());

  // Refusals.
  const get = (Key: string, how = {}) => new GetObjectCommand({ Bucket: BUCKET, Key, ...how });
  errors.push(await failing(asRole.send(get('kms/5000'))));
  errors.push(await failing(s3.send(get('customer/5000'))));
  const wrongKey = randomBytes(32);
  const wrong = {
    ...customer,
    SSECustomerKey: wrongKey.toString('base64'),
    SSECustomerKeyMD5: createHash('md5').update(wrongKey).digest('base64'),
  };
  errors.push(await failing(s3.send(get('customer/5000', wrong))));
  const Body = secrets.addBytes('a refused object', randomBytes(400_000));
  const ContentMD5 = Buffer.alloc(16).toString('base64');
  errors.push(await failing(s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'refused', Body, ContentMD5 }))));
  errors.push(await failing(s3.send(new PutObjectCommand({ Bucket: 'no-such-bucket-here', Key: 'refused', Body }))));
  const badSecret = secrets.addText('a wrong secret', 'wrong/but/somebody+elses/secret/of/today');
  const forged = new STSClient(clientConfig(endpoint, annId, badSecret));
  errors.push(await failing(forged.send(new GetCallerIdentityCommand({}))));
  const forgedS3 = new S3Client(clientConfig(endpoint, annId, badSecret));
  errors.push(await failing(forgedS3.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'forged', Body }))));
  const badToken = secrets.addText('a broken token', `${SessionToken.slice(0, 60)}${'A'.repeat(60)}`);
  const broken = new STSClient(clientConfig(endpoint, AccessKeyId, SecretAccessKey, badToken));
  errors.push(await failing(broken.send(new GetCallerIdentityCommand({}))));
  errors.push(...(await useSecrets(root, secrets, KeyId)));
  errors.push(...(await useFlows(root, secrets)));
  errors.push(...(await useContentKeys(root, secrets)));
  await kms.send(new DisableKeyCommand({ KeyId }));
  errors.push(await failing(s3.send(get('kms/5000'))));
  errors.push(await failing(kms.send(new DecryptCommand({ CiphertextBlob }))));
  errors.push(await (await fetch(`${endpoint}/`, { method: 'POST', body: Plaintext.toString('base64') })).text());

  // A job, which fails: its input is no video. Its worker is handed the role's session.
  const jobs = new MediaConvertClient(root);
  const { Job } = await jobs.send(
    new CreateJobCommand({
      Role: Role?.Arn,
      Settings: {
        Inputs: [
          {
            FileInput: `s3://${BUCKET}/service/400000`,
            AudioSelectors: { 'Audio Selector 1': { DefaultSelection: 'DEFAULT' } },
            VideoSelector: {},
          },
        ],
        OutputGroups: [mp4Group({ destination: `s3://${BUCKET}/out/` })],
      },
    }),
  );
  // A template may hold the key of what is made by it.
  const staticKeyValue = secrets.addText('a static key', randomBytes(16).toString('hex'));
  const StaticKeyProvider = { StaticKeyValue: staticKeyValue, Url: 'https://keys.example.com/1' };
  const Encryption = { Type: 'STATIC_KEY', EncryptionMethod: 'AES128', StaticKeyProvider } as const;
  const OutputGroupSettings = { Type: 'HLS_GROUP_SETTINGS', HlsGroupSettings: { Encryption } } as const;
  await jobs.send(
    new CreateJobTemplateCommand({ Name: 'protected', Settings: { OutputGroups: [{ OutputGroupSettings }] } }),
  );
  for (let wait = 0; wait < 300; wait++) {
    const answer = await jobs.send(new GetJobCommand({ Id: Job?.Id }));
    errors.push(JSON.stringify(answer.Job));
    if (answer.Job?.Status === 'ERROR') break;
    assert.notEqual(answer.Job?.Status, 'COMPLETE');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }

  for (const client of [iam, kms, s3, sts, annSts, asRole, asRoleKms, forged, forgedS3, broken, jobs]) client.destroy();
  return errors;
}

/** A flow that runs with a static key and an SRT password, and one whose secrets hold something else. */
async function useFlows(root: ClientConfig, secrets: Secrets): Promise<string[]> {
  const answers: string[] = [];
  const [iam, manager, flows] = [new IAMClient(root), new SecretsManagerClient(root), new MediaConnectClient(root)];
  const RoleName = 'flows';
  const trust = { Effect: 'Allow', Principal: { Service: 'mediaconnect.amazonaws.com' }, Action: 'sts:AssumeRole' };
  const read = { Effect: 'Allow', Action: 'secretsmanager:GetSecretValue', Resource: '*' };
  const document = (statement: object) => JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
  const { Role } = await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: document(trust) }));
  await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'p', PolicyDocument: document(read) }));
  const encryption = async (Name: string, SecretString: string, KeyType: 'static-key' | 'srt-password') => {
    const { ARN } = await manager.send(new CreateSecretCommand({ Name, SecretString }));
    return {
      KeyType,
      RoleArn: Role?.Arn ?? '',
      SecretArn: ARN ?? '',
      ...(KeyType === 'static-key' && { Algorithm: 'aes256' as const }),
    };
  };
  const key = await encryption(
    'flow-key',
    secrets.addText('a static key', randomBytes(32).toString('hex')),
    'static-key',
  );
  const word = secrets.addText('an SRT password', `password ${randomBytes(20).toString('hex')}`);
  const password = await encryption('flow-password', word, 'srt-password');
  const bad = secrets.addText('no static key', `no key ${randomBytes(20).toString('hex')}`);
  const wrong = await encryption('flow-wrong', bad, 'static-key');
  const anybody = '127.0.0.0/8';
  for (const [Decryption, expected] of [
    [key, 'ACTIVE'],
    [wrong, 'ERROR'],
  ] as const) {
    const port = randomInt(20_000, 32_000);
    const { Flow } = await flows.send(
      new CreateFlowCommand({
        Name: 'secret',
        Source: { Name: 'in', Protocol: 'zixi-push', IngestPort: port, WhitelistCidr: anybody, Decryption },
        Outputs: [
          { Name: 'out', Protocol: 'srt-listener', Port: port + 1, CidrAllowList: [anybody], Encryption: password },
        ],
        Entitlements: [
          { Name: 'sealed', Subscribers: ['210987654321'], Encryption: key },
          { Name: 'open', Subscribers: ['210987654321'] },
        ],
      }),
    );
    const FlowArn = Flow?.FlowArn;
    await flows.send(new StartFlowCommand({ FlowArn }));
    for (let status = 'STARTING'; status === 'STARTING'; ) {
      const answer = await flows.send(new DescribeFlowCommand({ FlowArn }));
      answers.push(JSON.stringify(answer));
      status = answer.Flow?.Status ?? '';
      if (status !== 'STARTING') assert.equal(status, expected, JSON.stringify(answer.Messages));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  for (const client of [iam, manager, flows]) client.destroy();
  return answers;
}

/** The key provider's keys and tokens, in requests that are taken and in some that are not. */
async function useContentKeys(root: ClientConfig, secrets: Secrets): Promise<string[]> {
  const provider = { endpoint: root.endpoint, clientConfig: () => root };
  const kid = '98ee5596-cd3e-a20d-163a-e382420c6eff';
  const post = (path: string, body: string) => callKeyProvider(provider, { method: 'POST', path, body });
  const cpix = `<CPIX id="film"><ContentKeyList><ContentKey kid="${kid}"/></ContentKeyList></CPIX>`;
  const answer = await post('copyProtection', cpix);
  secrets.addBytes('a content key', readResponse(answer.body, '1.0').keys[0]?.value);
  const manager = new SecretsManagerClient(root);
  const { SecretString = '' } = await manager.send(new GetSecretValueCommand({ SecretId: 'speke/film' }));
  manager.destroy();
  secrets.addBytes('a seed', Buffer.from((JSON.parse(SecretString) as { seed: string }).seed, 'base64'));
  const { token } = JSON.parse((await post('licence-tokens/film', '')).text) as { token: string };
  secrets.addText('a licence token', token);
  const play = (body: string, query: string) =>
    callKeyProvider(provider, {
      method: 'POST',
      path: 'play/film/licence',
      query: [['token', query]],
      body,
      credentials: undefined,
    });
  assert.equal((await play(`{"kids":["${kid}"]}`, token)).status, 200);
  const refused = [
    await play('{"kids":["AAAAAAAAAAAAAAAAAAAAAA"]}', token),
    await play('{}', token),
    await play(`{"kids":["${kid}"]}`, `${token}A`),
    await post('copyProtection', cpix.slice(0, -3)),
  ];
  for (const { status } of refused) assert.ok(status >= 400 && status < 500);
  return refused.map(({ text, headers }) => text + JSON.stringify(headers));
}

async function useSecrets(root: ClientConfig, secrets: Secrets, KmsKeyId: string): Promise<string[]> {
  const errors: string[] = [];
  const manager = new SecretsManagerClient(root);
  const SecretString = secrets.addText('a secret’s text', `marker ${randomBytes(20).toString('hex')}`);
  const SecretBinary = secrets.addBytes('a secret’s bytes', randomBytes(64));
  const AddReplicaRegions = [{ Region: 'eu-west-1' }];
  await manager.send(new CreateSecretCommand({ Name: 'text', SecretString, KmsKeyId, AddReplicaRegions }));
  await manager.send(new CreateSecretCommand({ Name: 'bytes', SecretBinary }));
  await manager.send(new GetSecretValueCommand({ SecretId: 'text' }));
  const later = secrets.addText('a later text', `later ${randomBytes(20).toString('hex')}`);
  await manager.send(new PutSecretValueCommand({ SecretId: 'text', SecretString: later }));
  await manager.send(new UpdateSecretCommand({ SecretId: 'text', KmsKeyId: 'alias/aws/secretsmanager' }));
  const { RandomPassword } = await manager.send(new GetRandomPasswordCommand({}));
  secrets.addText('a random password', RandomPassword);
  const refused = secrets.addText('a refused text', `refused ${randomBytes(20).toString('hex')}`);
  const refusals = [
    { Name: 'text', SecretString: refused },
    { Name: 'not a name', SecretString: refused },
    { Name: 'both', SecretString: refused, SecretBinary },
    { Name: 'large', SecretString: refused.repeat(2000) },
    { Name: 'other', SecretString: refused, KmsKeyId: 'no-such-key' },
  ];
  for (const refusal of refusals) errors.push(await failing(manager.send(new CreateSecretCommand(refusal))));
  const RotationToken = secrets.addText('a rotation token', `token-${randomBytes(20).toString('hex')}`);
  const withToken = new PutSecretValueCommand({ SecretId: 'text', SecretString: refused, RotationToken });
  errors.push(await failing(manager.send(withToken)));
  manager.destroy();
  return errors;
}
