import { join } from 'node:path';
import { Authenticator } from '#auth/authenticator.ts';
import { Authorizer } from '#gateway/authorizer.ts';
import type { AnyService } from '#gateway/operations-table.ts';
import { Gateway } from '#gateway/pipeline.ts';
import { systemClock } from '#kernel/clock.ts';
import type { Door } from '#kernel/door.ts';
import type { AccountId } from '#kernel/ids.ts';
import type { Logger } from '#kernel/logger.ts';
import { systemRandomness } from '#kernel/randomness.ts';
import { CloudTrailLog } from '#services/cloudtrail/api.ts';
import { EventBuffer } from '#services/cloudtrail/domain/event-buffer.ts';
import { cloudTrailService } from '#services/cloudtrail/service.ts';
import { CloudTrailStore, type CloudTrailTables, cloudTrailMigrations } from '#services/cloudtrail/store.ts';
import { IamApi } from '#services/iam/api.ts';
import { iamService } from '#services/iam/service.ts';
import { IamStore, type IamTables, iamMigrations } from '#services/iam/store.ts';
import { kinesisVideoService } from '#services/kinesis-video/service.ts';
import { kinesisVideoArchivedMediaService } from '#services/kinesis-video-archived-media/service.ts';
import { kinesisVideoMediaService } from '#services/kinesis-video-media/service.ts';
import { createKmsContext } from '#services/kms/context.ts';
import { KmsApi } from '#services/kms/api.ts';
import { kmsService } from '#services/kms/service.ts';
import { KmsStore, type KmsTables, kmsMigrations } from '#services/kms/store.ts';
import { mediaConnectService } from '#services/mediaconnect/service.ts';
import { createS3Context } from '#services/s3/context.ts';
import { purgeAccount as purgeS3Account } from '#services/s3/maintenance/purge-account.ts';
import { removeOrphans } from '#services/s3/maintenance/remove-orphans.ts';
import { verifyS3 } from '#services/s3/maintenance/verify.ts';
import { s3Migrations } from '#services/s3/migrations.ts';
import { s3Service } from '#services/s3/service.ts';
import type { S3Tables } from '#services/s3/store.ts';
import { secretsManagerService } from '#services/secrets-manager/service.ts';
import { stsService } from '#services/sts/service.ts';
import { FolderBlobs } from '#storage/folder/folder-blobs.ts';
import { SqliteRecords } from '#storage/sqlite/sqlite-records.ts';
import type { Config } from './config.ts';
import type { ControlReply } from './control-protocol.ts';
import { type Installation, openInstallation } from './installation.ts';
import { operatorDecrypt } from './operator-decrypt.ts';
import { saveRootCredentials } from './root-credentials.ts';
import { type Check, runChecks } from './verify.ts';

const HOUSEKEEPING_MS = 60 * 60_000;
const AUDIT_RETENTION_MS = 90 * 86_400_000;

/** One step of removing an account's belongings. */
export interface PurgeStep {
  readonly what: string;
  run(): Promise<void>;
}

/** Everything wired together on one data folder, without a socket: the composition root. */
export class Platform {
  readonly gateway: Gateway;
  readonly iam: IamApi;
  readonly notices: readonly string[];
  /** The address of the AWS port, once it is open. */
  endpoint: string | undefined;
  readonly #installation: Installation;
  readonly #records: SqliteRecords;
  readonly #log: CloudTrailLog;
  readonly #services: Services;
  #housekeeping: NodeJS.Timeout | undefined;

  private constructor(parts: {
    readonly installation: Installation;
    readonly records: SqliteRecords;
    readonly services: Services;
    readonly notices: readonly string[];
  }) {
    const { services } = parts;
    this.#installation = parts.installation;
    this.#records = parts.records;
    this.#services = services;
    this.#log = services.log;
    this.gateway = services.gateway;
    this.iam = services.iam;
    this.notices = parts.notices;
  }

  /** @throws FolderInUseError, RootKeyError, ConfigError */
  static async open(config: Config, environment: NodeJS.ProcessEnv, logger: Logger): Promise<Platform> {
    const installation = await openInstallation(config, environment);
    let records: SqliteRecords | undefined;
    try {
      records = await SqliteRecords.open(join(installation.folder, 'records.db'), [
        ...iamMigrations,
        ...kmsMigrations,
        ...cloudTrailMigrations,
        ...s3Migrations,
      ]);
      const blobs = await FolderBlobs.open(join(installation.folder, 'blobs'));
      const services = composeServices(config, installation, records, blobs, logger);
      const notices = [
        ...installation.notices,
        ...(await createFirstAccount(config, installation, services.iam, environment)),
      ];
      return new Platform({ installation, records, services, notices });
    } catch (error) {
      await records?.close();
      installation.lock.release();
      throw error;
    }
  }

  /** Starts what goes on in the background. */
  async startWork(endpoint: string): Promise<void> {
    this.endpoint = endpoint;
    void this.#removeOrphans();
    await this.#keepHouse();
    this.#housekeeping = setInterval(() => void this.#keepHouse(), HOUSEKEEPING_MS);
  }

  async stopWork(): Promise<void> {
    clearInterval(this.#housekeeping);
  }

  async close(): Promise<void> {
    clearInterval(this.#housekeeping);
    await this.#log.flush();
    await this.#records.close();
    this.#installation.lock.release();
  }

  verify(): AsyncGenerator<ControlReply> {
    return runChecks(this.#services.checks);
  }

  purgeSteps(account: AccountId): readonly PurgeStep[] {
    return this.#services.purgeSteps(account);
  }

  /** What a killed process left of S3's blobs; beside the work, since there may be many. */
  async #removeOrphans(): Promise<void> {
    const { s3, startedAt, logger } = this.#services;
    try {
      const count = await removeOrphans(s3, startedAt);
      if (count > 0) logger.info({ count }, 'blobs that nothing refers to were removed');
    } catch (error) {
      logger.error({ err: error }, 'the clean-up of blobs failed; it is tried again at the next start');
    }
  }

  async #keepHouse(): Promise<void> {
    const now = systemClock.now();
    const { kms, trail, logger } = this.#services;
    try {
      const purged = await kms.store.purgeDueKeys(now);
      if (purged > 0) kms.materials.forgetAll();
      await trail.prune(now - AUDIT_RETENTION_MS);
    } catch (error) {
      logger.error({ err: error }, 'housekeeping failed; it is tried again in an hour');
    }
  }
}

type Services = ReturnType<typeof composeServices>;

function composeServices(
  config: Config,
  installation: Installation,
  records: SqliteRecords,
  blobs: FolderBlobs,
  logger: Logger,
) {
  const { rootKey } = installation;
  const clock = systemClock;
  const randomness = systemRandomness;
  const startedAt = clock.now();
  // Services call one another through the gateway, which is made of the services: the door opens last.
  const door = new LateDoor();

  const iamStore = new IamStore(records.of<IamTables>());
  const iam = new IamApi(iamStore, rootKey, randomness, clock);
  const kms = createKmsContext(new KmsStore(records.of<KmsTables>()), rootKey, randomness);
  const trail = new CloudTrailStore(records.of<CloudTrailTables>());
  const buffer = new EventBuffer(trail, logger);
  const log = new CloudTrailLog(buffer, randomness);

  const s3 = createS3Context({
    records: records.of<S3Tables>(),
    blobs,
    rootKey,
    kms: new KmsApi(door),
    clock,
    randomness,
    logger,
    // A bucket may outlive its account for the moment in which that is being deleted.
    canonicalIdOf: async (account) => (await iam.accounts.find(account))?.canonicalId ?? '',
    isInsecureCustomerKeyAllowed: config.allowInsecureCustomerKeys,
  });

  const gateway = new Gateway({
    services: [
      iamService({ store: iamStore, rootKey, randomness }),
      stsService({ iam }),
      kmsService(kms),
      s3Service(s3),
      cloudTrailService({ store: trail, buffer }),
      secretsManagerService(),
      mediaConnectService(),
      kinesisVideoService(),
      kinesisVideoMediaService(),
      kinesisVideoArchivedMediaService(),
    ] as readonly AnyService[],
    authenticator: new Authenticator(iam, clock),
    authorizer: new Authorizer(iam),
    audit: log,
    clock,
    randomness,
    logger,
    defaultRegion: config.region,
    domains: config.domains,
  });
  door.open(gateway);

  const checks: readonly Check[] = [
    {
      what: 'database',
      async *run() {
        const answer = records.checkIntegrity();
        yield answer === 'ok' ? undefined : { what: 'records.db', damage: answer };
      },
    },
    {
      what: 'access keys',
      async *run() {
        for await (const { accessKeyId, isSound } of iam.checkAccessKeys()) {
          yield isSound ? undefined : { what: `access key ${accessKeyId}`, damage: 'its secret does not open' };
        }
      },
    },
    {
      what: 'KMS key materials',
      async *run() {
        for (const material of await kms.store.allMaterials()) {
          const isSound = kms.materials.isSound(material);
          yield isSound ? undefined : { what: `KMS key ${material.key_id}`, damage: 'its material does not open' };
        }
      },
    },
  ];

  const s3Check: Check = { what: 'S3 objects', run: () => verifyS3(s3, operatorDecrypt(kms), startedAt) };

  const purgeSteps = (account: AccountId): readonly PurgeStep[] => [
    {
      what: 'KMS keys',
      async run() {
        await kms.store.purgeAccount(account);
        kms.materials.forgetAll();
      },
    },
    { what: 'S3 buckets', run: () => purgeS3Account(s3, account) },
    { what: 'audit log', run: () => trail.purgeAccount(account) },
  ];

  return { gateway, iam, kms, s3, startedAt, trail, log, checks: [...checks, s3Check], purgeSteps, logger, blobs };
}

class LateDoor implements Door {
  #door: Door | undefined;

  open(door: Door): void {
    this.#door = door;
  }

  invoke(...call: Parameters<Door['invoke']>): Promise<unknown> {
    if (this.#door === undefined) throw new Error('The platform is not composed yet.');
    return this.#door.invoke(...call);
  }
}

/** On a first start: the account and its root user's credentials, given or made at random. */
async function createFirstAccount(
  config: Config,
  installation: Installation,
  iam: IamApi,
  environment: NodeJS.ProcessEnv,
): Promise<readonly string[]> {
  if ((await iam.accounts.list()).length > 0) return [];
  const { accountId, rootAccessKeyId, rootSecretAccessKey } = config;
  const isGiven = rootAccessKeyId !== undefined && rootSecretAccessKey !== undefined;
  const [account] = await iam.accounts.create([
    isGiven ? { accountId, accessKeyId: rootAccessKeyId, secretAccessKey: rootSecretAccessKey } : { accountId },
  ]);
  if (account === undefined || isGiven) return [];
  const { accessKeyId, secretAccessKey } = account;
  const path = await saveRootCredentials(installation.id, { accountId, accessKeyId, secretAccessKey }, environment);
  return [`The root user's credentials of account ${accountId} are in ${path}.`];
}
