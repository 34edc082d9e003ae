import type { AnyService } from '#gateway/operations-table.ts';
import { accessAnalyzerService } from '#services/accessanalyzer/service.ts';
import { cloudTrailService } from '#services/cloudtrail/service.ts';
import { iamService } from '#services/iam/service.ts';
import { keyProviderService } from '#services/key-provider/service.ts';
import { kinesisVideoService } from '#services/kinesis-video/service.ts';
import { kinesisVideoArchivedMediaService } from '#services/kinesis-video-archived-media/service.ts';
import { kinesisVideoMediaService } from '#services/kinesis-video-media/service.ts';
import { kmsService } from '#services/kms/service.ts';
import { mediaConnectService } from '#services/mediaconnect/service.ts';
import { mediaconvertService } from '#services/mediaconvert/service.ts';
import { s3ControlService } from '#services/s3/control/service.ts';
import { s3Service } from '#services/s3/service.ts';
import { secretsManagerService } from '#services/secrets-manager/service.ts';
import { stsService } from '#services/sts/service.ts';

// The manifests' facts do not depend on what the services work with; no handler is called through these.
const NOTHING = undefined as never;

/** Every service's manifest: its schemas and which of them are built. Not for calling. */
export const manifests: readonly AnyService[] = [
  kmsService(NOTHING),
  s3Service(NOTHING),
  s3ControlService(NOTHING),
  mediaconvertService(NOTHING),
  iamService(NOTHING),
  stsService(NOTHING),
  cloudTrailService(NOTHING),
  accessAnalyzerService(NOTHING),
  secretsManagerService(NOTHING),
  keyProviderService(NOTHING),
  mediaConnectService(NOTHING),
  kinesisVideoService(NOTHING),
  kinesisVideoMediaService(NOTHING),
  kinesisVideoArchivedMediaService(NOTHING),
] as readonly unknown[] as readonly AnyService[];

export function builtNamesOf(service: AnyService): readonly string[] {
  return service.operations.map(({ name }) => name);
}

export function unbuiltNamesOf(service: AnyService): readonly string[] {
  const built = new Set(builtNamesOf(service));
  return service.schemas.map((schema) => schema[2]).filter((name) => !built.has(name));
}
