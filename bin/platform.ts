import { join } from 'node:path';
import type { CreateJobRequest } from '@aws-sdk/client-mediaconvert';
import type { Gateway } from '#gateway/pipeline.ts';
import { systemClock } from '#kernel/clock.ts';
import type { AccountId, Region } from '#kernel/ids.ts';
import type { Logger } from '#kernel/logger.ts';
import { systemRandomness } from '#kernel/randomness.ts';
import type { FlowStatus } from '#media/live/flow-engine.ts';
import type { CloudTrailLog } from '#services/cloudtrail/api.ts';
import type { UsageColumn, UsageRange, UsageStep } from '#services/cloudtrail/domain/usage.ts';
import type { IamApi } from '#services/iam/api.ts';
import type { UsageReport } from '#services/kms/usage/usage-report.ts';
import type { Finding } from '#services/mediaconvert/preflight/finding.ts';
import { preflightRequest } from '#services/mediaconvert/preflight/preflight-request.ts';
import { pruneRecords as pruneMediaconvert } from '#services/mediaconvert/maintenance.ts';
import { removeOrphans } from '#services/s3/maintenance/remove-orphans.ts';
import type { ScrubStatus } from '#services/s3/maintenance/scrub/scrubber.ts';
import { verifyS3 } from '#services/s3/maintenance/verify.ts';
import type { EventLog, EventSelection } from '#storage/event-log/event-log.ts';
import { FolderBlobs } from '#storage/folder/folder-blobs.ts';
import { ROW_SEAL_PURPOSE } from '#storage/row-seal.ts';
import { SqliteRecords } from '#storage/sqlite/sqlite-records.ts';
import { allMigrations, composeServices, type PurgeStep, type Services } from './compose-services.ts';
import type { Config } from './config.ts';
import type { ControlReply } from './control-protocol.ts';
import { type ExplainedRequest, explainRefusal } from './explain.ts';
import { operatorDecrypt } from './operator-decrypt.ts';
import { createFirstAccount } from './first-account.ts';
import { type Installation, openInstallation } from './installation.ts';
import { type LeastPrivilegeRequest, writeLeastPrivilege } from './least-privilege.ts';
import { type RootKeyStatus, rootKeyStatus, rotateRootKey } from './root-key/root-key-administration.ts';
import { RootKeyChange } from './root-key/root-key-change.ts';
import type { RotateRequest } from './root-key/rotate-request.ts';
import { requireBucket, runRewrap } from './rewrap.ts';
import { reportForSupport } from './support-report.ts';
import { runChecks } from './verify.ts';

const HOUSEKEEPING_MS = 60 * 60_000;
const AUDIT_RETENTION_MS = 90 * 86_400_000;
const EVENT_RETENTION_MS = 30 * 86_400_000;

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
  readonly #rootKeyChange: RootKeyChange;
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
    this.#rootKeyChange = new RootKeyChange(parts.installation, parts.records, services.s3, services.logger);
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
      const { rootKey } = installation;
      const sealKey = rootKey.deriveKey(ROW_SEAL_PURPOSE);
      const formerKey = rootKey.deriveFormerKey(ROW_SEAL_PURPOSE);
      records = await SqliteRecords.open(join(installation.folder, 'records.db'), allMigrations, sealKey, formerKey);
      sealKey.fill(0);
      formerKey?.fill(0);
      const blobs = await FolderBlobs.open(join(installation.folder, 'blobs'));
      const services = composeServices(config, installation.rootKey, records, blobs, logger);
      await services.keyUsage.begin();
      const notices = [
        ...installation.notices,
        ...(await createFirstAccount(config, installation, services.iam, systemRandomness, environment)),
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
    this.#rootKeyChange.serve();
    void this.#removeOrphans();
    await this.#keepHouse();
    this.#services.webhooks.start();
    this.#services.keyProvider.endpoint = endpoint;
    this.#services.mediaconvert.runner.start(endpoint);
    this.#services.kmsJanitor.start();
    this.#services.scrubber?.start();
    this.#services.s3Lifecycle.start();
    this.#services.s3Webhooks.start();
    this.#services.s3LogDelivery.start();
    this.#services.s3Inventory.start();
    this.#services.kinesisVideo.janitor.start();
    this.#services.secretsManager.janitor.start();
    this.#services.secretsManager.rotations.start();
    await this.#services.mediaConnect.lifecycle.resume();
    this.#housekeeping = setInterval(() => void this.#keepHouse(), HOUSEKEEPING_MS);
  }

  async stopWork(): Promise<void> {
    clearInterval(this.#housekeeping);
    await this.#services.scrubber?.stop();
    await this.#services.s3Lifecycle.stop();
    await this.#services.s3Webhooks.stop();
    await this.#services.s3LogDelivery.stop();
    await this.#services.s3Inventory.stop();
    await this.#services.mediaconvert.runner.stop();
    await this.#services.kmsJanitor.stop();
    this.#services.kms.proxies.close();
    await this.#services.kinesisVideo.janitor.stop();
    await this.#services.secretsManager.janitor.stop();
    await this.#services.secretsManager.rotations.stop();
    await this.#services.mediaConnect.lifecycle.close();
    await this.#services.webhooks.stop();
  }

  async close(): Promise<void> {
    clearInterval(this.#housekeeping);
    this.#services.archivedMedia.stills.close();
    this.#services.thumbnails.close();
    await this.#services.s3.accessLog.flush();
    await this.#services.events.close();
    await this.#services.serviceAccess.close();
    await this.#services.lastUses.flush();
    await this.#services.keyUsage.flush();
    await this.#log.close();
    await this.#rootKeyChange.close();
    await this.#records.close();
    this.#installation.lock.release();
  }

  /** @throws AdministrationError where there is no such bucket */
  async *verify(bucket?: string): AsyncGenerator<ControlReply> {
    const { checks, s3, kms, startedAt } = this.#services;
    if (bucket === undefined) return yield* runChecks(checks);
    await requireBucket(s3, bucket);
    const what = `records, objects and parts of ${bucket}`;
    yield* runChecks([{ what, run: () => verifyS3(s3, operatorDecrypt(kms), startedAt, bucket) }]);
  }

  /** Puts everything in a bucket under another KMS key. @throws AdministrationError */
  rewrap(bucket: string, key: string): AsyncGenerator<ControlReply> {
    return runRewrap(this.#services, bucket, key);
  }

  rootKeyStatus(): RootKeyStatus {
    return rootKeyStatus(this.#rootKeyChange, this.#records);
  }

  /** @throws AdministrationError, RootKeyError, ConfigError */
  rotateRootKey(request: RotateRequest): AsyncGenerator<ControlReply> {
    return rotateRootKey(this.#rootKeyChange, this.#installation.folder, request);
  }

  /** @throws TooManyKindsError */
  async *countRequests(range: UsageRange, by: readonly UsageColumn[]): AsyncGenerator<UsageStep> {
    await this.#log.flush();
    yield* this.#services.usage.count(range, by);
  }

  /** KMS requests of a month by day, and what they cost at AWS. */
  keyUsage(request: { readonly month: string; readonly account?: AccountId }): Promise<UsageReport> {
    return this.#services.keyUsageReport(request);
  }

  /** How a refused request was decided. @throws AdministrationError */
  explain(subject: string): Promise<readonly ExplainedRequest[]> {
    return explainRefusal(subject, this.#services);
  }

  /** The policy that covers what a principal used. @throws AdministrationError */
  leastPrivilege(request: LeastPrivilegeRequest): AsyncGenerator<ControlReply> {
    return writeLeastPrivilege(request, this.#services);
  }

  /** What happened, from the event log. */
  readEvents(selection: EventSelection): ReturnType<EventLog['read']> {
    return this.#services.events.read(selection);
  }

  /** What the role of a MediaConvert job would lack. @throws ServiceError as CreateJob */
  preflight(account: AccountId, region: Region, request: object): Promise<readonly Finding[]> {
    return preflightRequest(request as CreateJobRequest, { account, region }, this.#services.mediaconvert);
  }

  /** What the operators may know of a job that was shared with them. @throws AdministrationError */
  supportReport(job: string): Promise<object> {
    return reportForSupport(this.#services.mediaconvert, job);
  }

  /** How the live flows are. */
  flowStatuses(): readonly FlowStatus[] {
    return this.#services.flowEngine.statuses();
  }

  /** How the reading again of everything goes; `undefined` where it is off. */
  scrubStatus(): ScrubStatus | undefined {
    return this.#services.scrubber?.status;
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
    this.#installation.rootKey.dropEndedTokens(now);
    const { keyUsage, trail, events, mediaconvert, logger } = this.#services;
    try {
      await keyUsage.prune(now);
      await trail.prune(now - AUDIT_RETENTION_MS);
      await events.prune(now - EVENT_RETENTION_MS);
      await pruneMediaconvert(mediaconvert.store, now);
    } catch (error) {
      logger.error({ err: error }, 'housekeeping failed; it is tried again in an hour');
    }
  }
}
