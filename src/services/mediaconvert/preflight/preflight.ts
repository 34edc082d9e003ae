import type { JobSettings, OutputGroupSettings } from '@aws-sdk/client-mediaconvert';
import { formatArn } from '#kernel/arn.ts';
import type { Caller } from '#kernel/caller.ts';
import type { AccessRefusal, Authority } from '#kernel/door.ts';
import { asRegion } from '#kernel/ids.ts';
import { ServiceError } from '#kernel/service-error.ts';
import { isMissingOrHidden, MISSING_OR_HIDDEN, TranscodeError } from '#media/transcode-error.ts';
import type { ObjectStorage, OutputGroup } from '#media/output-group.ts';
import type { KmsApi } from '#services/kms/api.ts';
import type { S3Api } from '#services/s3/api.ts';
import type { StsApi } from '#services/sts/api.ts';
import { auxiliaryFiles } from '../domain/auxiliary-files.ts';
import { planTranscode } from '../domain/transcode-plan.ts';
import { keyOrders } from '../domain/key-orders.ts';
import { ownAuthority } from '../speke/content-key-orders.ts';
import type { OwnProvider } from '../speke/own-provider.ts';
import { DATA_KEY_CONTEXT } from '../runner/input-keys.ts';
import { type AssumingJob, assumeJobRole, NO_SUCH_ROLE } from '../runner/role-session.ts';
import { accessFinding, type Finding, keyFinding, trustFinding } from './finding.ts';

export interface PreflightParts {
  readonly sts: StsApi;
  readonly s3: S3Api;
  readonly kms: KmsApi;
  readonly keyProvider: OwnProvider;
}

/**
 * Finds out, before a job runs or after it failed, which permissions its role lacks: for its inputs, its outputs and the
 * keys of both. Everything is asked in the name of the role, and nothing is read of an object or written.
 *
 * What only somebody else may know stays unknown: the key of an object that the role may not see, and that of a bucket's
 * default encryption where the role may not look at it.
 *
 * @param settings that passed the rules
 */
export async function preflight(parts: PreflightParts, job: AssumingJob, settings: JobSettings): Promise<Finding[]> {
  let caller: Caller;
  try {
    ({ caller } = await assumeJobRole(parts.sts, job));
  } catch (error) {
    if (!(error instanceof TranscodeError)) throw error;
    if (error.code === NO_SUCH_ROLE) return [{ step: 'assuming the role', problem: error.message, grants: [] }];
    return [trustFinding(job.role, error.message)];
  }
  const authority: Authority = { caller, region: job.region, via: [], userAgent: USER_AGENT, sourceIp: USER_AGENT };
  const check = new RoleCheck(parts, job, authority);
  const inputs = settings.Inputs ?? [];
  for (const input of inputs) await check.dataKey(input);
  for (const order of keyOrders(settings)) if (order !== undefined) await check.contentKeys(order.url);
  const plan = planTranscode(withoutKeys(settings), 0);
  for (const file of [...plan.inputs.map(({ source }) => source), ...auxiliaryFiles(settings)]) {
    if ('bucket' in file) await check.input(file.bucket, file.key);
  }
  for (const group of plan.groups) await check.outputs(group);
  return check.findings;
}

const USER_AGENT = 'mediaconvert.amazonaws.com';

class RoleCheck {
  readonly findings: Finding[] = [];
  readonly #parts: PreflightParts;
  readonly #role: string;
  readonly #authority: Authority;

  constructor(parts: PreflightParts, job: AssumingJob, authority: Authority) {
    this.#parts = parts;
    this.#role = job.role;
    this.#authority = authority;
  }

  /** The data key of an input that was encrypted before it was stored. */
  async dataKey({ FileInput, DecryptionSettings }: NonNullable<JobSettings['Inputs']>[number]): Promise<void> {
    if (DecryptionSettings === undefined) return;
    const region = DecryptionSettings.KmsKeyRegion;
    const CiphertextBlob = Buffer.from(DecryptionSettings.EncryptedDecryptionKey ?? '', 'base64');
    const authority = region === undefined ? this.#authority : { ...this.#authority, region: asRegion(region) };
    const step = `decrypting the data key of ${FileInput ?? ''}`;
    await this.#askKey(step, 'kms:Decrypt', '*', () =>
      this.#parts.kms.checkDecrypt({ CiphertextBlob, EncryptionContext: DATA_KEY_CONTEXT }, authority),
    );
  }

  /** What a key provider of others lets a role do is not known here. */
  async contentKeys(url: string): Promise<void> {
    const { keyProvider: own } = this.#parts;
    const authority = ownAuthority(url, { own, authority: this.#authority });
    if (authority !== undefined) await this.#ask(`asking ${url} for content keys`, () => own.refusals(authority));
  }

  async input(Bucket: string, Key: string): Promise<void> {
    const step = `reading s3://${Bucket}/${Key}`;
    const object = { Bucket, Key };
    const { s3, kms } = this.#parts;
    if (!(await this.#ask(step, () => s3.getObjectRefusals(object, this.#authority)))) return;
    const head = await this.#try(step, () => s3.headObject(object, this.#authority));
    const KeyId = head?.SSEKMSKeyId;
    if (KeyId === undefined) return;
    await this.#askKey(step, 'kms:Decrypt', KeyId, () =>
      kms.checkDecryptWith({ KeyId, EncryptionContext: contextOf(Bucket, Key) }, this.#viaS3),
    );
  }

  /** One object of a group stands for all. */
  async outputs(group: OutputGroup): Promise<void> {
    const { bucket: Bucket, keyBase, inputName, storage } = group;
    const { encryption, acl } = storage;
    const base = keyBase.replaceAll('$fn$', inputName);
    const [first] = group.kind === 'file' ? group.outputs : [];
    const Key = first === undefined ? `${base}.m3u8` : `${base}${first.nameModifier}.${first.extension}`;
    const step = `writing s3://${Bucket}/${base}*`;
    const { s3, kms } = this.#parts;
    const object = {
      Bucket,
      Key,
      ...(encryption !== undefined && { ServerSideEncryption: encryption.algorithm }),
      ...(encryption?.kmsKeyArn !== undefined && { SSEKMSKeyId: encryption.kmsKeyArn }),
      ...(acl !== undefined && { ACL: acl }),
    };
    const all = formatArn({ service: 's3', resource: `${Bucket}/${base}*` });
    if (!(await this.#ask(step, () => s3.putObjectRefusals(object, this.#authority), all))) return;
    const KeyId = encryption === undefined ? await this.#defaultKey(Bucket) : keyOf(encryption);
    if (KeyId === undefined) return;
    const EncryptionContext = { ...givenContext(encryption), ...contextOf(Bucket, Key) };
    await this.#askKey(step, 'kms:GenerateDataKey', KeyId, () =>
      kms.checkGenerateDataKey({ KeyId, EncryptionContext, KeySpec: 'AES_256' }, this.#viaS3),
    );
    await this.#askKey(step, 'kms:Decrypt', KeyId, () =>
      kms.checkDecryptWith({ KeyId, EncryptionContext }, this.#viaS3),
    );
  }

  get #viaS3(): Authority {
    const { region } = this.#authority;
    return { ...this.#authority, via: [`s3.${region}.amazonaws.com`] };
  }

  /** The KMS key that the bucket encrypts with by default, where the role may know it. */
  async #defaultKey(bucket: string): Promise<string | undefined> {
    try {
      const answer = await this.#parts.s3.getBucketEncryption(bucket, this.#authority);
      const rule = answer.ServerSideEncryptionConfiguration?.Rules?.[0]?.ApplyServerSideEncryptionByDefault;
      return rule?.SSEAlgorithm === 'aws:kms' || rule?.SSEAlgorithm === 'aws:kms:dsse'
        ? (rule.KMSMasterKeyID ?? AWS_MANAGED_KEY)
        : undefined;
    } catch (error) {
      if (error instanceof ServiceError) return undefined;
      throw error;
    }
  }

  /** @returns whether nothing is refused */
  async #ask(
    step: string,
    refusals: () => Promise<readonly AccessRefusal[]>,
    /** What is to be granted, where that is more than what was asked about. */
    resource?: string,
  ): Promise<boolean> {
    const found = await this.#try(step, refusals);
    for (const refusal of found ?? []) {
      this.findings.push(accessFinding(step, { ...refusal, ...(resource !== undefined && { resource }) }, this.#role));
    }
    return found?.length === 0;
  }

  async #askKey(step: string, action: string, key: string, ask: () => Promise<void>): Promise<void> {
    try {
      await ask();
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      const isRefused = error.code === 'AccessDeniedException';
      const problem = `${error.code}: ${error.message}`;
      this.findings.push(
        isRefused ? keyFinding(step, action, key, error.message, this.#role) : { step, problem, grants: [] },
      );
    }
  }

  /** What is wrong otherwise, such as a bucket that does not exist, is a finding without a grant. */
  async #try<T>(step: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      // Only of an object that is not there is the right to list asked for: both are said, as S3 does not say which.
      const problem = `${error.code}: ${error.message}${isMissingOrHidden(error.message) ? MISSING_OR_HIDDEN : ''}`;
      this.findings.push({ step, problem, grants: [] });
      return undefined;
    }
  }
}

const AWS_MANAGED_KEY = 'alias/aws/s3';

function keyOf({ algorithm, kmsKeyArn }: NonNullable<ObjectStorage['encryption']>): string | undefined {
  return algorithm === 'aws:kms' ? (kmsKeyArn ?? AWS_MANAGED_KEY) : undefined;
}

/** What S3 binds a data key to, where no bucket key is used. */
function contextOf(bucket: string, key: string): Record<string, string> {
  return { 'aws:s3:arn': `arn:aws:s3:::${bucket}/${key}` };
}

/** What the group's settings bind its objects' keys to, which the rules of settings have read. */
function givenContext(encryption: ObjectStorage['encryption']): Record<string, string> {
  const given = encryption?.kmsContext;
  if (given === undefined) return {};
  return JSON.parse(Buffer.from(given, 'base64').toString('utf8')) as Record<string, string>;
}

/** The keys themselves are no matter here. */
function withoutKeys(settings: JobSettings): JobSettings {
  const Inputs = settings.Inputs?.map(({ DecryptionSettings: _key, ...input }) => input);
  const OutputGroups = settings.OutputGroups?.map((group) => ({
    ...group,
    ...(group.OutputGroupSettings !== undefined && { OutputGroupSettings: inTheClear(group.OutputGroupSettings) }),
  }));
  return { ...settings, ...(Inputs !== undefined && { Inputs }), ...(OutputGroups !== undefined && { OutputGroups }) };
}

function inTheClear(settings: OutputGroupSettings): OutputGroupSettings {
  const {
    HlsGroupSettings: hls,
    DashIsoGroupSettings: dash,
    CmafGroupSettings: cmaf,
    MsSmoothGroupSettings: smooth,
  } = settings;
  const clear = { Encryption: undefined };
  return {
    ...settings,
    ...(hls !== undefined && { HlsGroupSettings: { ...hls, ...clear } }),
    ...(dash !== undefined && { DashIsoGroupSettings: { ...dash, ...clear } }),
    ...(cmaf !== undefined && { CmafGroupSettings: { ...cmaf, ...clear } }),
    ...(smooth !== undefined && { MsSmoothGroupSettings: { ...smooth, ...clear } }),
  };
}
