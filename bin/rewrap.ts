import { RecordDamageError } from '#services/s3/domain/record-seal.ts';
import { ServiceError } from '#kernel/service-error.ts';
import type { S3Context } from '#services/s3/context.ts';
import { rewrapBucket } from '#services/s3/maintenance/rewrap.ts';
import type { BucketRow } from '#services/s3/store.ts';
import { AdministrationError } from './administration-error.ts';
import type { Services } from './compose-services.ts';
import type { ControlReply } from './control-protocol.ts';
import { operatorDecrypt } from './operator-decrypt.ts';

/** Something that stays under the key that it has. */
export interface LeftBehind {
  readonly what: string;
  readonly left: string;
}

export interface RewrapReport {
  readonly moved: number;
  /** Were under the key before. */
  readonly already: number;
  /** Under customers' own keys. */
  readonly customer: number;
  readonly failed: number;
}

const REPORT_EVERY = 100;

/** @throws AdministrationError */
export async function requireBucket(s3: S3Context, name: string): Promise<BucketRow> {
  const row = await s3.store.findBucket(name);
  if (row === undefined) throw new AdministrationError(`There is no bucket ${name}.`);
  return row;
}

/** Moves a bucket to another KMS key and tells what stays behind, how far it is, and at the end the counts. */
export async function* runRewrap(services: Services, name: string, key: string): AsyncGenerator<ControlReply> {
  const { s3, kms, kmsApi, logger } = services;
  const bucket = await requireBucket(s3, name);
  const counts = { moved: 0, already: 0, replaced: 0, customer: 0, failed: 0 };
  let done = 0;
  try {
    s3.seal.checkBucket(bucket);
    for await (const outcome of rewrapBucket(s3, kmsApi, operatorDecrypt(kms), bucket, key)) {
      counts[outcome.state] += 1;
      done += 1;
      if ('what' in outcome) {
        const value: LeftBehind = { what: outcome.what, left: outcome.reason };
        yield { type: 'item', value };
      }
      if (done % REPORT_EVERY === 0) yield { type: 'progress', done, what: 'objects, versions and uploads' };
    }
  } catch (error) {
    if (error instanceof ServiceError) throw new AdministrationError(`KMS refuses the key: ${error.message}`);
    if (error instanceof RecordDamageError) throw new AdministrationError(error.message);
    throw error;
  }
  const { replaced: _, ...report } = counts;
  logger.info({ bucket: name, key, ...report }, 'a bucket was put under another key');
  const value: RewrapReport = report;
  yield { type: 'item', value };
}
