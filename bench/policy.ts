import {
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreatePolicyCommand,
  CreateUserCommand,
  IAMClient,
} from '@aws-sdk/client-iam';
import { PutBucketPolicyCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { Authorizer } from '#gateway/authorizer.ts';
import type { PrincipalPolicies } from '#gateway/principal-policies.ts';
import type { Caller } from '#kernel/caller.ts';
import type { AccountId, Region } from '#kernel/ids.ts';
import type { AccessRequest, RequestSource } from '#kernel/operation.ts';
import { PolicyCache } from '#policy/policy-cache.ts';
import { runLoad } from './load.ts';
import { prepareBucket, signed } from './objects.ts';
import { startCoffer } from './processes.ts';
import { median, type Result } from './result.ts';

const ACCOUNT = '111122223333' as AccountId;
const POLICIES = 10;
const STATEMENTS = 20;
const USERS = 5000;
/** Documents that differ: each user has ten of them. */
const DOCUMENTS = 500;
const DECISIONS = 20_000;
const ROUNDS = 5;
const OBJECTS = 2000;

/** What a decision takes, whether it depends on how many principals there are, and what of a small GetObject it is. */
export async function benchPolicy(): Promise<Result[]> {
  const { alone, among, compilations } = await benchDecisions();
  const share = await benchGetObject(alone);
  return [
    {
      name: 'a decision, 10 policies of 20 statements',
      value: alone,
      unit: 'µs',
      target: 20,
      isAtMost: true,
      detail: 'mean of s3:GetObject with a bucket policy and kms:Decrypt with a key policy, caches warm',
    },
    {
      name: 'the same among 5000 users',
      value: among / alone,
      unit: 'of the time for one user',
      target: 1.2,
      isAtMost: true,
      detail: `${among.toFixed(1)} against ${alone.toFixed(1)} µs; ${compilations} documents compiled for ${USERS * POLICIES} attachments`,
    },
    share,
  ];
}

async function benchDecisions(): Promise<{ alone: number; among: number; compilations: number }> {
  const documents = new PolicyCache('identity');
  const users = new Map<string, PrincipalPolicies>();
  for (let user = 0; user < USERS; user++) {
    const identity = Array.from({ length: POLICIES }, (_, at) => {
      const number = (user * 7 + at) % DOCUMENTS;
      return { name: `policy-${number}`, policy: documents.get(identityPolicy(number)) };
    });
    users.set(userName(user), { identity, session: [], principalTags: { team: 'news' } });
  }
  const authorizer = new Authorizer(
    { policiesOf: async (caller) => users.get(caller.type === 'user' ? caller.userName : '') ?? NOTHING },
    { sealer: { seal: () => undefined }, isAppended: false },
  );
  await decide(authorizer, () => 0, DECISIONS);
  const alone: number[] = [];
  const among: number[] = [];
  let next = 0;
  // Every user once, so that each has been seen before it counts.
  await decide(authorizer, () => next++ % USERS, USERS);
  const before = documents.compilations + authorizer.compilations;
  for (let round = 0; round < ROUNDS; round++) {
    alone.push(await decide(authorizer, () => 0, DECISIONS));
    // A hundred at a time take turns, as in a system with so many users; those of each round are others.
    among.push(await decide(authorizer, () => ((next++ % 100) + round * 1000) % USERS, DECISIONS));
  }
  const after = documents.compilations + authorizer.compilations;
  if (after !== before) throw new Error(`Policies that did not change were compiled again, ${after - before} times.`);
  return { alone: median(alone), among: median(among), compilations: after };
}

const NOTHING: PrincipalPolicies = { identity: [], session: [], principalTags: {} };
const userName = (user: number) => `user-${user}`;

/** @returns microseconds for one decision */
async function decide(authorizer: Authorizer, userOf: () => number, count: number): Promise<number> {
  const requests = [REQUESTS.get, REQUESTS.decrypt];
  const started = performance.now();
  for (let call = 0; call < count; call += requests.length) {
    const questions = authorizer.forCall(callerOf(userOf()), FACTS);
    for (const request of requests) {
      const { decision } = await questions.decide(request);
      if (!decision.isAllowed) throw new Error(decision.reason);
    }
  }
  return ((performance.now() - started) / count) * 1000;
}

function callerOf(user: number): Caller {
  const name = userName(user);
  return {
    type: 'user',
    accountId: ACCOUNT,
    arn: `arn:aws:iam::${ACCOUNT}:user/${name}`,
    principalId: name,
    userName: name,
  };
}

const SOURCE: RequestSource = {
  sourceIp: '192.0.2.1',
  userAgent: 'bench',
  isSecure: true,
  method: 'GET',
  path: '/',
  host: 'localhost',
  authType: 'REST-HEADER',
  header: () => undefined,
};
const FACTS = { region: 'us-east-1' as Region, now: Date.now(), source: SOURCE, via: [] } as const;

const allow = (Action: readonly string[], Resource: string, Condition = {}) => ({
  Effect: 'Allow',
  Action,
  Resource,
  Condition,
});
const policyOf = (statements: readonly object[]) => JSON.stringify({ Version: '2012-10-17', Statement: statements });

/** Nine in ten statements are about other actions, as in most policies; the right one is the last. */
function identityPolicy(number: number): string {
  const others = Array.from({ length: STATEMENTS - 2 }, (_, at) =>
    allow(
      [`service${at % 6}:Get*`, `service${at % 6}:List*`],
      `arn:aws:service${at % 6}:*:${ACCOUNT}:thing/${number}-${at}/*`,
      {
        StringEquals: { 'aws:PrincipalTag/team': `team-${at}` },
      },
    ),
  );
  return policyOf([
    ...others,
    allow(['s3:Get*', 'kms:*'], `arn:aws:s3:::other-${number}/*`),
    allow(['s3:GetObject', 'kms:Decrypt'], '*', { StringLike: { 'aws:PrincipalTag/team': 'n*' } }),
  ]);
}

const bucketPolicy = (bucket: string) =>
  policyOf(
    Array.from({ length: STATEMENTS }, (_, at) => ({
      Effect: 'Deny',
      Principal: '*',
      Action: at % 2 === 0 ? 's3:PutObject' : 's3:GetObject',
      Resource: `arn:aws:s3:::${bucket}/closed-${at}/*`,
      Condition: { StringNotEquals: { 'aws:PrincipalTag/team': `team-${at}` } },
    })),
  );
const keyPolicy = policyOf([
  { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: 'kms:*', Resource: '*' },
  {
    Effect: 'Deny',
    Principal: '*',
    Action: 'kms:*',
    Resource: '*',
    Condition: { Bool: { 'aws:SecureTransport': 'false' } },
  },
]);

const REQUESTS: Readonly<Record<'get' | 'decrypt', AccessRequest>> = {
  get: {
    action: 's3:GetObject',
    resource: 'arn:aws:s3:::films/one/two/three',
    resourceAccount: ACCOUNT,
    resourcePolicy: { document: bucketPolicy('films'), isRequired: false, kind: 'resource-based' },
    context: { 's3:authType': 'REST-HEADER', 's3:signatureversion': 'AWS4-HMAC-SHA256' },
  },
  decrypt: {
    action: 'kms:Decrypt',
    resource: `arn:aws:kms:us-east-1:${ACCOUNT}:key/98ee5596-cd3e-a20d-163a-e382420c6eff`,
    resourceAccount: ACCOUNT,
    resourcePolicy: { document: keyPolicy, isRequired: true, kind: 'resource-based' },
    resourceTags: { project: 'films' },
    context: {
      'kms:ViaService': 's3.us-east-1.amazonaws.com',
      'kms:EncryptionContext:aws:s3:arn': 'arn:aws:s3:::films',
    },
  },
};

/** GetObject of 1 KiB, SSE-KMS with a bucket key: what of its time two such decisions are. */
async function benchGetObject(decision: number): Promise<Result> {
  const coffer = await startCoffer();
  const root = await prepareBucket(coffer);
  const config = { endpoint: coffer.endpoint, region: 'us-east-1', credentials: coffer.credentials };
  const iam = new IAMClient(config);
  try {
    await root.send(new PutBucketPolicyCommand({ Bucket: 'bench', Policy: bucketPolicy('bench') }));
    await iam.send(new CreateUserCommand({ UserName: 'reader', Tags: [{ Key: 'team', Value: 'news' }] }));
    for (let at = 0; at < POLICIES; at++) {
      const created = await iam.send(
        new CreatePolicyCommand({ PolicyName: `policy-${at}`, PolicyDocument: identityPolicy(at) }),
      );
      await iam.send(new AttachUserPolicyCommand({ UserName: 'reader', PolicyArn: created.Policy?.Arn }));
    }
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'reader' }));
    const credentials = {
      accessKeyId: AccessKey?.AccessKeyId ?? '',
      secretAccessKey: AccessKey?.SecretAccessKey ?? '',
    };
    const reader = new S3Client({ ...config, credentials, forcePathStyle: true });
    for (let at = 0; at < 50; at++) {
      await root.send(new PutObjectCommand({ Bucket: 'bench', Key: `open/${at}`, Body: Buffer.alloc(1024) }));
    }
    const keys = Array.from({ length: OBJECTS }, (_, at) => `open/${at % 50}`);
    const rate = async (client: S3Client) => {
      const load = await runLoad({ method: 'GET', urls: await signed(client, 'get', keys), connections: 16 });
      return load.requests / load.seconds;
    };
    await rate(reader);
    const [hers, roots]: [number[], number[]] = [[], []];
    for (let round = 0; round < ROUNDS; round++) {
      hers.push(await rate(reader));
      roots.push(await rate(root));
    }
    reader.destroy();
    const perRequest = 1e6 / median(hers);
    return {
      name: 'authorisation of a small GetObject',
      value: (2 * decision) / perRequest,
      unit: 'of its time',
      target: 0.1,
      isAtMost: true,
      detail: `two decisions of ${perRequest.toFixed(0)} µs; ${median(hers).toFixed(0)} requests/s, the root user's ${median(roots).toFixed(0)}`,
    };
  } finally {
    root.destroy();
    iam.destroy();
    await coffer.stop();
  }
}
