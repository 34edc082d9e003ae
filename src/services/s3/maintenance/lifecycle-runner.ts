import type { LifecycleRule, TransitionStorageClass } from '@aws-sdk/client-s3';
import type { AuditSink } from '#kernel/audit.ts';
import type { Clock } from '#kernel/clock.ts';
import type { Logger } from '#kernel/logger.ts';
import type { Randomness } from '#kernel/randomness.ts';
import { ServiceError } from '#kernel/service-error.ts';
import { Upkeep } from '#kernel/upkeep.ts';
import { bucketArn, objectArn } from '../access.ts';
import type { S3Context } from '../context.ts';
import { settingsOf, versioningOf } from '../domain/bucket-settings.ts';
import {
  abortTimeOf,
  activeRules,
  type Candidate,
  dueOfCurrent,
  dueOfNoncurrent,
  isMarkerDue,
} from '../domain/lifecycle-due.ts';
import { isMarker, parseVersionFacts } from '../domain/object-facts.ts';
import { RecordDamageError } from '../domain/record-seal.ts';
import { UNVERSIONED, versionText } from '../domain/version.ts';
import { announceRemoved, announceTransition } from '../notifications/announce.ts';
import { lifecycleCause } from '../notifications/happening.ts';
import type { BucketRow } from '../store.ts';
import type { ListedVersion } from '../version-store.ts';
import type { ExistingObject } from '../versions.ts';
import { allUploads } from './walk.ts';

const SWEEP_MS = 3_600_000;
const PAGE = 500;
const SERVICE = 's3.amazonaws.com';

/** As S3's server access logs call what the service does by itself. */
type Act = 'S3.EXPIRE.OBJECT' | 'S3.CREATE.DELETEMARKER' | 'S3.DELETE.UPLOAD' | `S3.TRANSITION_${string}.OBJECT`;

/** Where a walk is among the versions of a key, the newest first. */
interface KeyState {
  key: string | undefined;
  /** When the version after the next one was written: since then that one is not current. */
  successorAt: number | undefined;
  noncurrent: number;
  /** A delete marker that is the newest version, and until now the only one. */
  marker: { readonly row: ListedVersion; readonly versionId: string } | undefined;
}

/** The row is not what was looked at: left for the next time. */
class Changed extends Error {}

/**
 * Carries out the lifecycle rules of buckets: hourly, though rules act at midnight. Each act is a commit of its own, in which
 * the record is compared with what was looked at, so that nothing newer is lost; locked versions stay.
 */
export class LifecycleRunner {
  readonly #s3: S3Context;
  readonly #audit: AuditSink;
  readonly #clock: Clock;
  readonly #randomness: Randomness;
  readonly #logger: Logger;
  readonly #upkeep: Upkeep;
  #isStopped = false;

  constructor(parts: {
    readonly s3: S3Context;
    readonly audit: AuditSink;
    readonly clock: Clock;
    readonly randomness: Randomness;
    readonly logger: Logger;
  }) {
    this.#s3 = parts.s3;
    this.#audit = parts.audit;
    this.#clock = parts.clock;
    this.#randomness = parts.randomness;
    this.#logger = parts.logger;
    this.#upkeep = new Upkeep(
      SWEEP_MS,
      () => this.sweep(),
      (error) => parts.logger.error({ err: error }, 'the lifecycle of buckets failed; it is tried again in an hour'),
    );
  }

  start(): void {
    this.#upkeep.start();
  }

  stop(): Promise<void> {
    this.#isStopped = true;
    return this.#upkeep.stop();
  }

  /** Does what is due now. */
  async sweep(): Promise<void> {
    for (const row of await this.#s3.store.allBuckets()) {
      if (this.#isStopped) return;
      try {
        const bucket = this.#s3.seal.checkBucket(row);
        const { lifecycle } = settingsOf(bucket);
        if (lifecycle !== undefined) await this.#sweepBucket(bucket, activeRules(lifecycle));
      } catch (error) {
        this.#logger.error({ err: error, bucket: row.name }, 'the lifecycle of a bucket was not carried out');
      }
    }
  }

  async #sweepBucket(bucket: BucketRow, rules: readonly LifecycleRule[]): Promise<void> {
    if (rules.length === 0) return;
    await this.#abortUploads(bucket, rules);
    const state: KeyState = { key: undefined, successorAt: undefined, noncurrent: 0, marker: undefined };
    let from: { key: string; isInclusive: boolean; rank?: number } = { key: '', isInclusive: true };
    for (;;) {
      const page = await this.#s3.store.versions.list(bucket.name, from, undefined, PAGE, 'whole');
      for (const row of page) {
        if (this.#isStopped) return;
        await this.#visit(bucket, rules, state, row);
      }
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE) break;
      from = { key: last.key, isInclusive: false, rank: last.rank };
      // Where nothing is due, nothing waits: requests get their turn.
      await new Promise((resolve) => setImmediate(resolve));
    }
    await this.#settleMarker(bucket, rules, state);
  }

  async #visit(bucket: BucketRow, rules: readonly LifecycleRule[], state: KeyState, row: ListedVersion): Promise<void> {
    const isNewest = state.key !== row.key;
    if (isNewest) {
      await this.#settleMarker(bucket, rules, state);
      state.key = row.key;
      state.noncurrent = 0;
    }
    state.marker = undefined;
    const successorAt = isNewest ? undefined : state.successorAt;
    state.successorAt = row.modified_at;
    const facts = parseVersionFacts(row.facts);
    const versionId = versionText(facts.version ?? UNVERSIONED);
    if (isMarker(facts) && isNewest) {
      state.marker = { row, versionId };
      return;
    }
    const now = this.#clock.now();
    const { key, size } = row;
    const { tags = {}, storageClass } = isMarker(facts) ? {} : facts;
    const candidate: Candidate = { key, size, tags, storageClass, since: successorAt ?? row.modified_at };
    const action =
      successorAt === undefined
        ? dueOfCurrent(rules, candidate, now)
        : dueOfNoncurrent(rules, candidate, state.noncurrent, now);
    if (successorAt !== undefined) state.noncurrent += 1;
    if (action === undefined) return;
    const target = { bucket: bucket.name, key, ...(successorAt !== undefined && { versionId }) };
    if (action.kind === 'transition') await this.#transition(bucket, row, versionId, action.to);
    else await this.#remove(bucket, target, row);
  }

  /** A delete marker without versions behind it. */
  async #settleMarker(bucket: BucketRow, rules: readonly LifecycleRule[], state: KeyState): Promise<void> {
    const { marker } = state;
    state.marker = undefined;
    if (marker === undefined) return;
    const { row, versionId } = marker;
    if (!isMarkerDue(rules, row.key, row.modified_at, this.#clock.now())) return;
    await this.#remove(bucket, { bucket: bucket.name, key: row.key, versionId }, row);
  }

  async #remove(
    bucket: BucketRow,
    target: { readonly bucket: string; readonly key: string; readonly versionId?: string },
    seen: ListedVersion,
  ): Promise<void> {
    await this.#try(bucket, target.key, async () => {
      await this.#requireSealed(target, seen);
      const check = (head: ExistingObject | undefined) => {
        if (head?.facts !== seen.facts) throw new Changed();
        // A version that has become the current one since.
        if (target.versionId !== undefined && !('rank' in head)) throw new Changed();
      };
      const cause = lifecycleCause(this.#randomness.uuid());
      const announce = announceRemoved(this.#s3, bucket, target, cause, 's3:LifecycleExpiration');
      const { objects } = this.#s3;
      const removal = await objects.delete(target, versioningOf(bucket), this.#clock.now(), check, announce);
      const isHidden = target.versionId === undefined && removal.isMarker;
      return isHidden ? 'S3.CREATE.DELETEMARKER' : 'S3.EXPIRE.OBJECT';
    });
  }

  async #transition(
    bucket: BucketRow,
    seen: ListedVersion,
    versionId: string,
    to: TransitionStorageClass,
  ): Promise<void> {
    await this.#try(bucket, seen.key, async () => {
      const object = await this.#s3.objects.find(bucket.name, seen.key, versionId);
      if (object === undefined) throw new Changed();
      const cause = lifecycleCause(this.#randomness.uuid());
      const announce = announceTransition(this.#s3, bucket, object, to, cause);
      await this.#s3.objects.change(object, (facts) => ({ ...facts, storageClass: to }), announce);
      return `S3.TRANSITION_${to}.OBJECT`;
    });
  }

  /** A record that something else changed is not believed when it says that it may go. @throws RecordDamageError */
  async #requireSealed(
    { bucket, key, versionId }: { readonly bucket: string; readonly key: string; readonly versionId?: string },
    seen: ListedVersion,
  ): Promise<void> {
    const object = await this.#s3.objects.find(bucket, key, versionId);
    if (object !== undefined && object.row.facts === seen.facts) return;
    const marker = versionId === undefined ? undefined : await this.#s3.objects.findMarker(bucket, key, versionId);
    if (marker === undefined) throw new Changed();
  }

  async #abortUploads(bucket: BucketRow, rules: readonly LifecycleRule[]): Promise<void> {
    if (!rules.some((rule) => rule.AbortIncompleteMultipartUpload !== undefined)) return;
    for await (const row of allUploads(this.#s3.store, bucket.name)) {
      if (this.#isStopped) return;
      const due = abortTimeOf(rules, row.key, row.initiated_at);
      if (due === undefined || due.at > this.#clock.now()) continue;
      await this.#try(bucket, row.key, async () => {
        this.#s3.uploads.check(row);
        await this.#s3.uploads.abort(row.id);
        return 'S3.DELETE.UPLOAD';
      });
    }
  }

  async #try(bucket: BucketRow, key: string, act: () => Promise<Act>): Promise<void> {
    try {
      const done = await act();
      const requestId = this.#randomness.uuid();
      this.#record(bucket, key, done, requestId);
      await this.#s3.accessLog.noteAct(bucket, done, key, requestId);
    } catch (error) {
      // Overwritten or removed meanwhile, or locked.
      if (error instanceof Changed || error instanceof ServiceError) return;
      if (!(error instanceof RecordDamageError)) throw error;
      this.#logger.error({ err: error, bucket: bucket.name, key }, 'a damaged record is left by the lifecycle');
    }
  }

  #record({ account, region, name }: BucketRow, key: string, eventName: Act, requestId: string): void {
    this.#audit.append({
      requestId,
      parentRequestId: undefined,
      time: this.#clock.now(),
      durationMs: 0,
      account,
      region,
      eventSource: SERVICE,
      eventName,
      isReadOnly: false,
      isDataEvent: true,
      caller: { type: 'service', service: SERVICE, sourceAccount: account, sourceArn: bucketArn(name) },
      via: [],
      sourceIp: SERVICE,
      userAgent: SERVICE,
      resources: [objectArn(name, key)],
      owners: [],
      parameters: { bucketName: name, key },
      details: {},
      status: 200,
      errorCode: undefined,
      errorMessage: undefined,
      allowedBy: [],
      accesses: [],
      accessesLeftOut: 0,
      refusals: [],
    });
  }
}
