import { availableParallelism } from 'node:os';
import { Authenticator } from '#auth/authenticator.ts';
import type { RootKey } from '#crypto/root-key.ts';
import { Authorizer } from '#gateway/authorizer.ts';
import type { AnyService } from '#gateway/operations-table.ts';
import { Gateway } from '#gateway/pipeline.ts';
import { type Clock, systemClock } from '#kernel/clock.ts';
import type { AccountId } from '#kernel/ids.ts';
import type { Logger } from '#kernel/logger.ts';
import { systemRandomness } from '#kernel/randomness.ts';
import { FlowWorkers } from '#media/live/flow-workers.ts';
import { DEFAULT_STILLS_LIMITS, StillsPool } from '#media/stills/stills-pool.ts';
import { AuthorizationFacts } from '#services/accessanalyzer/facts/authorization-facts.ts';
import { accessAnalyzerService } from '#services/accessanalyzer/service.ts';
import { CloudTrailLog } from '#services/cloudtrail/api.ts';
import { EventBuffer } from '#services/cloudtrail/domain/event-buffer.ts';
import { PrincipalActivity } from '#services/cloudtrail/principal-activity.ts';
import { PrincipalUses } from '#services/cloudtrail/principal-uses.ts';
import { RequestUsage } from '#services/cloudtrail/request-usage.ts';
import { cloudTrailService } from '#services/cloudtrail/service.ts';
import { IndexCheck } from '#services/cloudtrail/index-check.ts';
import { cloudTrailMigrations } from '#services/cloudtrail/migrations.ts';
import { CloudTrailStore } from '#services/cloudtrail/store.ts';
import type { CloudTrailTables } from '#services/cloudtrail/tables.ts';
import { IamApi, ServiceLinkedRoles } from '#services/iam/api.ts';
import { LastUses } from '#services/iam/last-uses.ts';
import { ServiceAccessReports } from '#services/iam/service-access.ts';
import { iamService } from '#services/iam/service.ts';
import { IamStore, type IamTables, iamMigrations } from '#services/iam/store.ts';
import { KeyProviderApi } from '#services/key-provider/api.ts';
import { createKeyProviderContext } from '#services/key-provider/context.ts';
import { keyProviderService } from '#services/key-provider/service.ts';
import { createKinesisVideoContext, type KinesisVideoTables } from '#services/kinesis-video/context.ts';
import { purgeAccount as purgeKinesisVideoAccount } from '#services/kinesis-video/maintenance/purge-account.ts';
import { kinesisVideoService } from '#services/kinesis-video/service.ts';
import { archiveMigrations } from '#services/kinesis-video/archive/migrations.ts';
import { streamMigrations } from '#services/kinesis-video/store.ts';
import { createArchivedMediaContext } from '#services/kinesis-video-archived-media/context.ts';
import { kinesisVideoArchivedMediaService } from '#services/kinesis-video-archived-media/service.ts';
import { createKinesisVideoMediaContext } from '#services/kinesis-video-media/context.ts';
import { kinesisVideoMediaService } from '#services/kinesis-video-media/service.ts';
import { KmsApi } from '#services/kms/api.ts';
import { createKmsContext } from '#services/kms/context.ts';
import { KmsJanitor } from '#services/kms/maintenance/janitor.ts';
import { kmsService } from '#services/kms/service.ts';
import { kmsMaterialMigrations } from '#services/kms/material-migrations.ts';
import { GrantStore, type GrantTables, grantMigrations } from '#services/kms/grant-store.ts';
import { kmsMigrations } from '#services/kms/migrations.ts';
import { KeyUsageLog } from '#services/kms/usage/key-usage-log.ts';
import { reportUsage } from '#services/kms/usage/usage-report.ts';
import { kmsUsageMigrations, type UsageTables } from '#services/kms/usage/usage-tables.ts';
import { KmsStore } from '#services/kms/store.ts';
import type { KmsTables } from '#services/kms/tables.ts';
import { customKeyStoreMigrations } from '#services/kms/xks/migrations.ts';
import { XksConnections } from '#services/kms/xks/proxy-connections.ts';
import { createMediaConnectContext } from '#services/mediaconnect/context.ts';
import { mediaConnectService } from '#services/mediaconnect/service.ts';
import { type FlowTables, mediaConnectMigrations } from '#services/mediaconnect/store.ts';
import { createMediaconvertContext } from '#services/mediaconvert/context.ts';
import { mediaconvertService } from '#services/mediaconvert/service.ts';
import { mediaconvertMigrations } from '#services/mediaconvert/migrations.ts';
import { MediaconvertStore, type MediaconvertTables } from '#services/mediaconvert/store.ts';
import { S3Api } from '#services/s3/api.ts';
import { createS3Context } from '#services/s3/context.ts';
import { purgeAccount as purgeS3Account } from '#services/s3/maintenance/purge-account.ts';
import { accountMigrations } from '#services/s3/control/account-table.ts';
import { s3ControlService } from '#services/s3/control/service.ts';
import { s3Migrations } from '#services/s3/migrations.ts';
import { notificationMigrations } from '#services/s3/notifications/notification-table.ts';
import { WebhookDeliveries } from '#services/s3/notifications/webhook-deliveries.ts';
import { InventoryRunner } from '#services/s3/inventory/inventory-runner.ts';
import { inventoryMigrations } from '#services/s3/inventory/inventory-store.ts';
import { accessLogMigrations } from '#services/s3/access-log/log-table.ts';
import { LogDelivery } from '#services/s3/access-log/log-delivery.ts';
import { LifecycleRunner } from '#services/s3/maintenance/lifecycle-runner.ts';
import { Scrubber } from '#services/s3/maintenance/scrub/scrubber.ts';
import { ScrubPositions, type ScrubTables, scrubMigrations } from '#services/s3/maintenance/scrub/scrub-position.ts';
import { s3Service } from '#services/s3/service.ts';
import type { S3Tables } from '#services/s3/store.ts';
import { SecretsManagerApi } from '#services/secrets-manager/api.ts';
import { createSecretsManagerContext } from '#services/secrets-manager/context.ts';
import { purgeAccount as purgeSecrets } from '#services/secrets-manager/maintenance/purge-account.ts';
import { secretsManagerService } from '#services/secrets-manager/service.ts';
import { type SecretsTables, secretsManagerMigrations } from '#services/secrets-manager/store.ts';
import { AuthorizationMessages } from '#services/sts/authorization-messages.ts';
import { StsApi } from '#services/sts/api.ts';
import { stsService } from '#services/sts/service.ts';
import { ProviderKeys } from '#services/sts/web-identity/provider-keys.ts';
import { EventLog, type EventLogTables, eventLogMigrations } from '#storage/event-log/event-log.ts';
import { EventWebhooks, type EventWebhookTables, eventWebhookMigrations } from '#storage/event-log/event-webhooks.ts';
import type { FolderBlobs } from '#storage/folder/folder-blobs.ts';
import type { Migration } from '#storage/records.ts';
import type { SqliteRecords } from '#storage/sqlite/sqlite-records.ts';
import { checksOf } from './checks.ts';
import type { Config } from './config.ts';
import { LateDoor } from './late-door.ts';
import { operatorDecrypt } from './operator-decrypt.ts';
import { usualMediaWorkers } from './usual-media-workers.ts';

/** Every service's tables. */
export const allMigrations: readonly Migration[] = [
  ...iamMigrations,
  ...kmsMigrations,
  ...kmsMaterialMigrations,
  ...kmsUsageMigrations,
  ...customKeyStoreMigrations,
  ...grantMigrations,
  ...cloudTrailMigrations,
  ...s3Migrations,
  ...scrubMigrations,
  ...notificationMigrations,
  ...accessLogMigrations,
  ...inventoryMigrations,
  ...accountMigrations,
  ...mediaconvertMigrations,
  ...streamMigrations,
  ...archiveMigrations,
  ...secretsManagerMigrations,
  ...eventLogMigrations,
  ...eventWebhookMigrations,
  ...mediaConnectMigrations,
];

/** One step of removing an account's belongings. */
export interface PurgeStep {
  readonly what: string;
  run(): Promise<void>;
}

export type Services = ReturnType<typeof composeServices>;

/** Makes every service with what it needs, and the gateway around them. */
export function composeServices(
  config: Config,
  rootKey: RootKey,
  records: SqliteRecords,
  blobs: FolderBlobs,
  logger: Logger,
  clock: Clock = systemClock,
) {
  const randomness = systemRandomness;
  const startedAt = clock.now();
  const door = new LateDoor();

  const iamStore = new IamStore(records.of<IamTables>());
  const iam = new IamApi(iamStore, rootKey, randomness, clock);
  const kmsStore = new KmsStore(records.of<KmsTables>(), new GrantStore(records.of<GrantTables>()));
  const keyUsage = new KeyUsageLog(records.of<UsageTables & KmsTables>(), clock, logger);
  const connections = new XksConnections(config.xksRoutes, config.xksTimeoutMs);
  const trail = new CloudTrailStore(records.of<CloudTrailTables>());
  const buffer = new EventBuffer(trail, logger);
  const log = new CloudTrailLog(buffer, randomness);
  const kms = createKmsContext(kmsStore, rootKey, randomness, iam, keyUsage, connections, log);
  const kmsJanitor = new KmsJanitor(kms, clock, logger, () => records.emptyLog());
  const lastUses = new LastUses(iamStore, logger);
  const activity = new PrincipalActivity(trail, buffer);
  const serviceAccess = new ServiceAccessReports(iamStore, activity, logger);
  const usage = new RequestUsage(trail);
  const uses = new PrincipalUses(trail);
  const events = new EventLog(records.of<EventLogTables>(), clock, randomness, logger);
  const webhooks = new EventWebhooks(records.of<EventWebhookTables>(), events, config.eventWebhooks, clock, logger);

  const s3 = createS3Context({
    records: records.of<S3Tables>(),
    blobs,
    rootKey,
    kms: new KmsApi(door),
    clock,
    randomness,
    logger,
    // A bucket may outlive its account for the moment in which that is being deleted.
    policyPrincipals: iam.policyPrincipals,
    canonicalIdOf: async (account) => (await iam.accounts.find(account))?.canonicalId ?? '',
    isCanonicalId: async (id) => (await iam.accounts.findByCanonicalId(id)) !== undefined,
    takeRootMfaCode: (account, serial, code, now) => iam.mfaCodes.takeOfRoot(account, serial, code, now),
    appendEvent: (transaction, event) => events.append(transaction as never, event),
    webhookNames: new Set(config.s3Webhooks.keys()),
    isInsecureCustomerKeyAllowed: config.allowInsecureCustomerKeys,
  });

  const mediaWorkers = config.mediaWorkers ?? usualMediaWorkers(availableParallelism());
  const mediaconvert = createMediaconvertContext({
    store: new MediaconvertStore(records.of<MediaconvertTables>()),
    rootKey,
    sts: new StsApi(door, iam),
    kms: new KmsApi(door),
    clock,
    randomness,
    logger,
    events,
    s3: new S3Api(door),
    privateInputHosts: config.httpInputHosts,
    mayUseHardware: config.mayUseHardware,
    keyProviderHosts: config.keyProviderHosts,
    keyProvider: new KeyProviderApi(door, config.domains),
    workers: mediaWorkers,
  });

  const kinesisVideo = createKinesisVideoContext({
    records: records.of<KinesisVideoTables>(),
    blobs,
    kms: new KmsApi(door),
    clock,
    randomness,
    logger,
  });

  const archivedMedia = createArchivedMediaContext({ video: kinesisVideo, rootKey, clock, logger, mediaWorkers });

  const secretsManager = createSecretsManagerContext({
    policyPrincipals: iam.policyPrincipals,
    records: records.of<SecretsTables>(),
    rootKey,
    kms: new KmsApi(door),
    self: new SecretsManagerApi(door),
    audit: log,
    clock,
    randomness,
    logger,
    rotationEndpoints: config.rotationEndpoints,
  });

  const keyProvider = createKeyProviderContext({
    sts: new StsApi(door, iam),
    roles: new ServiceLinkedRoles(door),
    secrets: new SecretsManagerApi(door),
    self: new KeyProviderApi(door, config.domains),
    rootKey,
    clock,
    publicAddress: config.publicUrl,
  });

  const thumbnails = new StillsPool({ ...DEFAULT_STILLS_LIMITS, workers: 1 });
  const flowEngine = new FlowWorkers(thumbnails);
  const mediaConnect = createMediaConnectContext({
    records: records.of<FlowTables>(),
    sts: new StsApi(door, iam),
    secrets: new SecretsManagerApi(door),
    engine: flowEngine,
    clock,
    randomness,
    logger,
    address: config.mediaConnectAddress,
    events,
    remoteEntitlements: config.remoteEntitlements,
  });

  const messages = new AuthorizationMessages(rootKey);
  const gateway = new Gateway({
    services: [
      iamService({
        store: iamStore,
        rootKey,
        randomness,
        trustedIssuers: config.oidcIssuers,
        lastUses,
        serviceAccess,
      }),
      stsService({ iam, providerKeys: new ProviderKeys(clock, config.oidcIssuers), messages }),
      kmsService(kms),
      s3Service(s3),
      s3ControlService(s3),
      mediaconvertService(mediaconvert),
      cloudTrailService({ store: trail, buffer }),
      accessAnalyzerService({ facts: new AuthorizationFacts() }),
      secretsManagerService(secretsManager),
      keyProviderService(keyProvider),
      mediaConnectService(mediaConnect),
      kinesisVideoService(kinesisVideo),
      kinesisVideoMediaService(createKinesisVideoMediaContext({ video: kinesisVideo, clock, logger })),
      kinesisVideoArchivedMediaService(archivedMedia),
    ] as readonly AnyService[],
    authenticator: new Authenticator(iam, clock),
    authorizer: new Authorizer(iam, { sealer: messages, isAppended: config.encodedRefusals }),
    audit: {
      append(record) {
        keyUsage.append(record, log.append(record));
        lastUses.append(record);
      },
    },
    clock,
    randomness,
    logger,
    defaultRegion: config.region,
    domains: config.domains,
  });
  door.open(gateway);

  const s3Lifecycle = new LifecycleRunner({ s3, audit: log, clock, randomness, logger });
  const s3LogDelivery = new LogDelivery({ s3, api: new S3Api(door), clock, randomness, logger });
  const s3Inventory = new InventoryRunner({ s3, api: new S3Api(door), clock, randomness, logger });
  const s3Webhooks = new WebhookDeliveries(s3.store, config.s3Webhooks, clock, logger);
  const scrubber =
    config.scrubRate === undefined
      ? undefined
      : new Scrubber({
          s3,
          decrypt: operatorDecrypt(kms),
          positions: new ScrubPositions(records.of<ScrubTables>()),
          events,
          clock,
          logger,
          bytesPerSecond: config.scrubRate * 2 ** 20,
        });

  const checks = checksOf({
    records,
    iam,
    kms,
    s3,
    mediaconvert: mediaconvert.store,
    kinesisVideo,
    secretsManager,
    mediaConnect,
    auditIndex: new IndexCheck(records.of<CloudTrailTables>()),
    rootKey,
    startedAt,
  });

  const purgeSteps = (account: AccountId): readonly PurgeStep[] => [
    {
      what: 'KMS keys',
      async run() {
        await kms.store.purgeAccount(account);
        await keyUsage.purgeAccount(account);
        kms.materials.forgetAll();
      },
    },
    { what: 'MediaConvert jobs', run: () => mediaconvert.store.removeAccount(account) },
    { what: 'Kinesis video streams', run: () => purgeKinesisVideoAccount(kinesisVideo, account) },
    { what: 'secrets', run: () => purgeSecrets(secretsManager, account) },
    { what: 'S3 buckets', run: () => purgeS3Account(s3, account) },
    { what: 'live flows', run: () => mediaConnect.lifecycle.removeAccount(account) },
    { what: 'events', run: () => events.purgeAccount(account) },
    { what: 'audit log', run: () => trail.purgeAccount(account) },
  ];

  return {
    gateway,
    iam,
    kms,
    kmsJanitor,
    keyUsage,
    keyUsageReport: (request: Parameters<typeof reportUsage>[3]) =>
      reportUsage(keyUsage, records.of<KmsTables>(), clock, request),
    s3,
    kmsApi: new KmsApi(door),
    scrubber,
    s3Lifecycle,
    s3Webhooks,
    s3LogDelivery,
    s3Inventory,
    mediaconvert,
    kinesisVideo,
    archivedMedia,
    secretsManager,
    keyProvider,
    thumbnails,
    flowEngine,
    mediaConnect,
    events,
    webhooks,
    startedAt,
    trail,
    log,
    lastUses,
    serviceAccess,
    usage,
    uses,
    messages,
    checks,
    purgeSteps,
    logger,
  };
}
