import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient, PutUserPolicyCommand } from '@aws-sdk/client-iam';
import {
  CreateGrantCommand,
  CreateKeyCommand,
  DecryptCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  KMSClient,
} from '@aws-sdk/client-kms';
import { fillStore } from './kms/fill-store.ts';
import type { RawLoad, RawLoadResult } from './kms/raw-load.ts';
import {
  type BenchCredentials,
  type MeasuredCommand,
  signRequests,
  targetOf,
  toBareServer,
} from './kms/signed-requests.ts';
import { type BenchServer, onProcessor, startBareServer, startCoffer, startOther, twoProcessors } from './processes.ts';
import { median, type Result } from './result.ts';

const CONNECTIONS = 32;
const REQUESTS = 2000;
const ROUNDS = 3;
const SECONDS = 2;
const WARM_UP_SECONDS = 1;
const KEYS = 100_000;
const GRANTS_OF_A_KEY = 10;
const MOTO_PORT = 5077;
const PEER_REQUESTS = 200;

const processors = twoProcessors();
const OPERATIONS = ['GenerateDataKey', 'Encrypt', 'Decrypt'] as const;
type OperationName = (typeof OPERATIONS)[number];
type Commands = Readonly<Record<OperationName, readonly MeasuredCommand[]>>;

/** An answer of each operation is about so long: what the bare server answers. */
const ANSWER_LENGTHS: Readonly<Record<OperationName, number>> = { GenerateDataKey: 430, Encrypt: 320, Decrypt: 300 };

/** GenerateDataKey, Encrypt and Decrypt by HTTP, by a user whom a policy lets, each request with its own signature. */
export async function benchKms(): Promise<Result[]> {
  const bare = await startBareServer(processors?.[0]);
  const coffer = await startCoffer(undefined, processors?.[0]);
  try {
    const { byPolicy, key } = await prepare(coffer);
    const commands = await commandsFor(coffer, coffer.credentials, [key]);
    // Nothing is warm yet: V8 has not compiled what is used often.
    for (const name of OPERATIONS) await load(coffer, await signRequests(coffer.endpoint, byPolicy, commands[name]));
    const results: Result[] = [];
    let rates = 0;
    for (const name of OPERATIONS) {
      const requests = await signRequests(coffer.endpoint, byPolicy, commands[name]);
      const plain = toBareServer(requests, ANSWER_LENGTHS[name]);
      const { ratio, ours, theirs, ourTime, theirTime } = await compare(
        () => load(coffer, requests),
        () => load(bare, plain),
      );
      rates += ours / OPERATIONS.length;
      const processor = `${ourTime.toFixed(0)} against ${theirTime.toFixed(0)} µs of processor time for each`;
      results.push({
        name: `${name}, ${CONNECTIONS} connections`,
        value: ratio,
        unit: 'of the bare server',
        target: 0.15,
        isAtMost: false,
        detail: `${ours.toFixed(0)} against ${theirs.toFixed(0)} requests/s; ${processor}`,
      });
    }
    results.push(await latencyAtHalf(coffer, byPolicy, commands, rates));
    return results;
  } finally {
    await coffer.stop();
    await bare.stop();
  }
}

/** Beside the peer that people test with, which checks neither signatures nor policies; nothing where it is not installed. */
export async function benchKmsBesidePeer(): Promise<Result[]> {
  const endpoint = `http://127.0.0.1:${MOTO_PORT}`;
  const moto = await startOther('moto_server', ['-p', String(MOTO_PORT)], /(Running on|Press CTRL)/, endpoint);
  if (moto === undefined) return [];
  const coffer = await startCoffer(undefined, processors?.[0]);
  try {
    const { byPolicy, key } = await prepare(coffer);
    const ours = await commandsFor(coffer, coffer.credentials, [key], PEER_REQUESTS);
    const nobody = { accessKeyId: 'AKIABENCHBENCHBENCH1', secretAccessKey: 'nothing' };
    const client = new KMSClient({ endpoint, region: 'us-east-1', credentials: nobody });
    const { KeyMetadata } = await client.send(new CreateKeyCommand({}));
    client.destroy();
    const theirs = await commandsFor(moto, nobody, [KeyMetadata?.KeyId ?? ''], PEER_REQUESTS);
    const results: Result[] = [];
    for (const name of OPERATIONS) {
      const requests = await signRequests(coffer.endpoint, byPolicy, ours[name]);
      const others = await signRequests(endpoint, nobody, theirs[name]);
      await load(coffer, requests);
      const compared = await compare(
        () => load(coffer, requests),
        () => load(moto, others),
        1,
      );
      if (compared.theirs === 0) {
        console.error(`moto_server has answered no ${name} in time: there is nothing to compare.`);
        continue;
      }
      results.push({
        name: `${name} beside moto_server`,
        value: compared.ratio,
        unit: 'times its rate',
        target: 20,
        isAtMost: false,
        detail: `${compared.ours.toFixed(0)} against ${compared.theirs.toFixed(0)} requests/s`,
      });
    }
    return results;
  } finally {
    await moto.stop();
    await coffer.stop();
  }
}

/** The rate and the start where there are a hundred thousand keys and a million grants. */
export async function benchKmsAmongMany(): Promise<Result[]> {
  const folder = await mkdtemp(join(tmpdir(), 'coffer-bench-'));
  const large = `${folder}-large`;
  try {
    const first = await startCoffer(folder, processors?.[0]);
    const people = await prepare(first);
    await first.stop();
    await cp(folder, large, { recursive: true });
    const keys = await fillStore(large, KEYS, GRANTS_OF_A_KEY);
    const few = await startCoffer(folder, processors?.[0]);
    try {
      return await amongMany(few, large, people, keys);
    } finally {
      await few.stop();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
    await rm(large, { recursive: true, force: true });
  }
}

interface People {
  readonly key: string;
  readonly byPolicy: BenchCredentials;
  /** A user without a policy, whom a grant lets. */
  readonly byGrant: BenchCredentials;
}

async function prepare(coffer: BenchServer): Promise<People> {
  const config = { endpoint: coffer.endpoint, region: 'us-east-1', credentials: coffer.credentials };
  const kms = new KMSClient(config);
  const iam = new IAMClient(config);
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
  const key = KeyMetadata?.KeyId ?? '';
  const user = async (UserName: string) => {
    const { User } = await iam.send(new CreateUserCommand({ UserName }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
    const credentials = {
      accessKeyId: AccessKey?.AccessKeyId ?? '',
      secretAccessKey: AccessKey?.SecretAccessKey ?? '',
    };
    return { arn: User?.Arn ?? '', credentials };
  };
  const byPolicy = await user('by-policy');
  const byGrant = await user('by-grant');
  const Statement = [
    { Effect: 'Allow', Action: ['s3:GetObject', 's3:PutObject'], Resource: 'arn:aws:s3:::media/*' },
    {
      Effect: 'Allow',
      Action: ['kms:Encrypt', 'kms:Decrypt', 'kms:GenerateDataKey*'],
      Resource: `arn:aws:kms:us-east-1:${KeyMetadata?.AWSAccountId}:key/*`,
      Condition: { StringEquals: { 'kms:EncryptionContext:purpose': 'bench' } },
    },
    { Effect: 'Deny', Action: 'kms:*', Resource: '*', Condition: { IpAddress: { 'aws:SourceIp': '192.0.2.0/24' } } },
  ];
  await iam.send(
    new PutUserPolicyCommand({
      UserName: 'by-policy',
      PolicyName: 'use-keys',
      PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement }),
    }),
  );
  await kms.send(
    new CreateGrantCommand({
      KeyId: key,
      GranteePrincipal: byGrant.arn,
      Operations: ['Encrypt', 'Decrypt', 'GenerateDataKey'],
    }),
  );
  kms.destroy();
  iam.destroy();
  return { key, byPolicy: byPolicy.credentials, byGrant: byGrant.credentials };
}

/** Requests that all differ, over the keys in turn. */
async function commandsFor(
  server: BenchServer,
  credentials: BenchCredentials,
  keys: readonly string[],
  count = REQUESTS,
): Promise<Commands> {
  const kms = new KMSClient({ endpoint: server.endpoint, region: 'us-east-1', credentials });
  const inputs = Array.from({ length: count }, (_, index) => ({
    KeyId: keys[index % keys.length] ?? '',
    EncryptionContext: { purpose: 'bench', object: `media/object-${index}` },
  }));
  const encrypts = inputs.map((input) => new EncryptCommand({ ...input, Plaintext: Buffer.alloc(32, input.KeyId) }));
  const decrypts: DecryptCommand[] = [];
  for (let from = 0; from < count; from += CONNECTIONS) {
    const some = encrypts.slice(from, from + CONNECTIONS);
    const answers = await Promise.all(some.map((command) => kms.send(command)));
    for (const [index, { CiphertextBlob }] of answers.entries()) {
      const EncryptionContext = some[index]?.input.EncryptionContext;
      decrypts.push(new DecryptCommand({ CiphertextBlob, EncryptionContext }));
    }
  }
  kms.destroy();
  return {
    GenerateDataKey: inputs.map((input) => new GenerateDataKeyCommand({ ...input, KeySpec: 'AES_256' })),
    Encrypt: encrypts,
    Decrypt: decrypts,
  };
}

interface Comparison {
  readonly ratio: number;
  readonly ours: number;
  readonly theirs: number;
  /** Microseconds of processor time for one request. */
  readonly ourTime: number;
  readonly theirTime: number;
}

/** In turn, so that a machine that slows down slows both. */
async function compare(
  our: () => Promise<LoadFigures>,
  their: () => Promise<LoadFigures>,
  rounds = ROUNDS,
): Promise<Comparison> {
  const ours: LoadFigures[] = [];
  const theirs: LoadFigures[] = [];
  for (let round = 0; round < rounds; round++) {
    ours.push(await our());
    theirs.push(await their());
  }
  const rates = (figures: readonly LoadFigures[]) => figures.map((one) => one.requestsPerSecond);
  const times = (figures: readonly LoadFigures[]) => figures.map((one) => one.processorMicroseconds);
  const ratio = median(rates(ours).map((rate, round) => rate / (rates(theirs)[round] ?? Number.NaN)));
  return {
    ratio,
    ours: median(rates(ours)),
    theirs: median(rates(theirs)),
    ourTime: median(times(ours)),
    theirTime: median(times(theirs)),
  };
}

async function latencyAtHalf(
  coffer: BenchServer,
  credentials: BenchCredentials,
  commands: Commands,
  fullRate: number,
): Promise<Result> {
  const third = Math.floor(REQUESTS / OPERATIONS.length);
  const mixed = Array.from({ length: third }, (_, index) => OPERATIONS.flatMap((name) => commands[name][index] ?? []));
  const requests = await signRequests(coffer.endpoint, credentials, mixed.flat());
  const runs: RawLoadResult[] = [];
  for (let round = 0; round < ROUNDS; round++) runs.push(await load(coffer, requests, fullRate / 2));
  return {
    name: '99th percentile at half that load',
    value: median(runs.map((run) => run.p99Ms)),
    unit: 'ms',
    target: 10,
    isAtMost: true,
    detail: `at ${(fullRate / 2).toFixed(0)} requests/s; median ${median(runs.map((run) => run.medianMs)).toFixed(1)} ms; ${runs.map((run) => run.p99Ms.toFixed(1)).join(' ')} ms`,
  };
}

/** The same requests where there are a hundred thousand keys and a million grants, spread over ten thousand of them. */
async function amongMany(few: BenchServer, folder: string, people: People, keys: readonly string[]): Promise<Result[]> {
  const many = await startCoffer(folder, processors?.[0]);
  try {
    const used = keys.slice(0, 10_000);
    const commandsOf = (ids: readonly string[]) =>
      used.map(
        (_, index) =>
          new GenerateDataKeyCommand({
            KeyId: ids[index % ids.length] ?? '',
            KeySpec: 'AES_256',
            EncryptionContext: { purpose: 'bench', object: `media/object-${index}` },
          }),
      );
    const results: Result[] = [
      {
        name: 'Start among 100,000 keys',
        value: many.startedInMs / 1000,
        unit: 's',
        target: 3,
        isAtMost: true,
        detail: 'with 1,000,000 grants',
      },
    ];
    for (const [by, credentials] of [
      ['a policy', people.byPolicy],
      ['a grant', people.byGrant],
    ] as const) {
      const spread = await signRequests(many.endpoint, credentials, commandsOf(used));
      const one = await signRequests(few.endpoint, credentials, commandsOf([people.key]));
      // What each key needs is read once; what counts is how it goes on.
      await load(many, spread);
      await load(few, one);
      const { ratio, ours, theirs } = await compare(
        () => load(many, spread),
        () => load(few, one),
      );
      results.push({
        name: `GenerateDataKey by ${by} among 100,000 keys`,
        value: ratio,
        unit: 'of the rate with one key',
        target: 0.8,
        isAtMost: false,
        detail: `${ours.toFixed(0)} requests/s over 10,000 keys with ten grants each, against ${theirs.toFixed(0)}`,
      });
    }
    return results;
  } finally {
    await many.stop();
  }
}

const run = promisify(execFile);

interface LoadFigures extends RawLoadResult {
  /** Of the server, for one request. */
  readonly processorMicroseconds: number;
}

/** @throws when a request failed */
async function load(server: BenchServer, requests: readonly string[], rate?: number): Promise<LoadFigures> {
  const wanted: RawLoad = {
    ...targetOf(server.endpoint),
    requests,
    connections: CONNECTIONS,
    warmUpSeconds: WARM_UP_SECONDS,
    seconds: SECONDS,
    ...(rate === undefined ? {} : { rate }),
  };
  const folder = await mkdtemp(join(tmpdir(), 'coffer-load-'));
  try {
    const file = join(folder, 'load.json');
    await writeFile(file, JSON.stringify(wanted));
    const generator = join(import.meta.dirname, 'kms/raw-load.ts');
    const [command, ...args] = onProcessor(processors?.[1], process.execPath, generator, file);
    const before = await server.processorSeconds();
    const { stdout } = await run(command, args);
    const seconds = (await server.processorSeconds()) - before;
    const result = JSON.parse(stdout) as RawLoadResult;
    if (result.failures > 0) throw new Error(`${result.failures} requests failed: ${result.firstFailure}`);
    return { ...result, processorMicroseconds: (seconds / result.requests) * 1e6 };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
