import type { AuditSink } from '#kernel/audit.ts';
import type { Clock } from '#kernel/clock.ts';
import type { Logger } from '#kernel/logger.ts';
import type { Randomness } from '#kernel/randomness.ts';
import type { RotationEndpoints } from '../domain/rotation-endpoint.ts';
import { nextRotation, parseRules } from '../domain/rotation-rules.ts';
import { CURRENT, PENDING, StagingLabels } from '../domain/staging-labels.ts';
import { arnOf, isGone } from '../secrets.ts';
import {
  findSecretById,
  type SecretRow,
  type SecretsQueries,
  type SecretStore,
  updateSecretRow,
  labelledOf,
} from '../store.ts';
import type { Versions } from '../versions.ts';
import { postStep, ROTATION_STEPS, RotationError, type RotationStep } from './post-step.ts';

/** How often the schedules are looked at. */
const LOOK_MS = 15_000;
const MAX_ATTEMPTS = 3;
const RETRY_MS = 60_000;
const AT_ONCE = 8;

export interface RunnerFacts {
  readonly store: SecretStore;
  readonly versions: Versions;
  readonly endpoints: RotationEndpoints;
  readonly audit: AuditSink;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly logger: Logger;
}

type EventName = 'RotationStarted' | 'RotationSucceeded' | 'RotationFailed';

/**
 * Carries out rotations: those that RotateSecret began, and those whose time has come. What is under way is in the
 * records, so that the next start goes on with it.
 */
export class RotationRunner {
  readonly #facts: RunnerFacts;
  readonly #running = new Map<string, Promise<void>>();
  #end = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #look: Promise<unknown> = Promise.resolve();

  constructor(facts: RunnerFacts) {
    this.#facts = facts;
    this.#end.abort();
  }

  start(): void {
    this.#end = new AbortController();
    this.#timer = setInterval(() => this.wake(), LOOK_MS);
    this.#timer.unref();
    this.wake();
  }

  /** Breaks off what is under way; the next start begins its attempt again. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#end.abort();
    await this.settle();
  }

  /** Says that something is due. */
  wake(): void {
    if (this.#end.signal.aborted) return;
    this.#look = this.#look
      .then(() => this.runDue())
      .catch((error: unknown) => {
        this.#facts.logger.error({ err: error }, 'the schedules of rotations could not be read; it is tried again');
      });
  }

  /** Waits until all that was due is done. */
  async settle(): Promise<void> {
    await this.#look;
    while (this.#running.size > 0) await Promise.all(this.#running.values());
  }

  /** Begins what is due now. */
  async runDue(): Promise<void> {
    const { store, clock } = this.#facts;
    for (const id of await store.idsToRotate(clock.now())) {
      if (this.#running.has(id) || this.#running.size >= AT_ONCE) continue;
      const work = this.#runOne(id)
        .catch((error: unknown) => {
          this.#facts.logger.error({ err: error, secret: id }, 'a rotation could not be carried out');
        })
        .finally(() => {
          this.#running.delete(id);
        });
      this.#running.set(id, work);
    }
  }

  /**
   * Begins a rotation within a transaction. A version that an earlier rotation left as AWSPENDING is taken up again.
   *
   * @param row as it is to be, with its rotation's target
   * @returns the version that the rotation makes
   */
  async begin(
    transaction: SecretsQueries,
    row: SecretRow,
    kind: 'rotate' | 'test',
    now: number,
    wantedVersion?: string,
  ): Promise<string> {
    const labels = StagingLabels.of(await labelledOf(transaction, row.id));
    const pending = labels.holderOf(PENDING);
    const isLeft = pending !== undefined && pending !== labels.holderOf(CURRENT);
    const version = isLeft ? pending : (wantedVersion ?? this.#facts.randomness.uuid());
    if (!isLeft) await this.#facts.versions.addEmpty(transaction, row, version, PENDING, now);
    await updateSecretRow(transaction, row.id, {
      rotation_version: version,
      rotation_kind: kind,
      rotation_attempts: 0,
      rotation_due_at: now,
    });
    return version;
  }

  async #runOne(id: string): Promise<void> {
    const { store, clock, logger } = this.#facts;
    const row = await store.write((transaction) => this.#take(transaction, id, clock.now()));
    const version = row?.rotation_version;
    if (row === undefined || version === null || version === undefined) return;
    const secret = arnOf(row);
    this.#record('RotationStarted', row, version);
    try {
      await this.#carryOut(row, version);
      this.#record('RotationSucceeded', row, version);
      logger.info({ secret, version }, row.rotation_kind === 'test' ? 'a rotation was tried' : 'a secret was rotated');
    } catch (error) {
      if (!(error instanceof RotationError)) throw error;
      if (this.#end.signal.aborted) return;
      logger.warn({ secret, version, attempt: row.rotation_attempts + 1, reason: error.message }, 'a rotation failed');
      this.#record('RotationFailed', row, version, error.message);
      await this.#giveUp(row, version);
    }
  }

  /** The secret with a rotation to carry out now: the one under way, or one that begins by the schedule. */
  async #take(transaction: SecretsQueries, id: string, now: number): Promise<SecretRow | undefined> {
    const row = await findSecretById(transaction, id);
    if (row === undefined || isGone(row, now) || row.purge_at !== null || row.primary_id !== null) return undefined;
    if (row.rotation_version !== null) return (row.rotation_due_at ?? 0) <= now ? row : undefined;
    if (row.is_rotation_enabled !== 1 || row.next_rotation_at === null || row.next_rotation_at > now) {
      await updateSecretRow(transaction, id, { next_rotation_at: null, rotation_due_at: null });
      return undefined;
    }
    await updateSecretRow(transaction, id, { next_rotation_at: nextRotation(parseRules(row), now) });
    await this.begin(transaction, row, 'rotate', now);
    return findSecretById(transaction, id);
  }

  async #carryOut(row: SecretRow, version: string): Promise<void> {
    const { store, endpoints, versions, clock } = this.#facts;
    const target = row.rotation_target ?? '';
    if (target === '' || !endpoints.isAllowed(target)) {
      throw new RotationError('The rotation endpoint is not among those that the operator allows.');
    }
    const isTest = row.rotation_kind === 'test';
    const steps: readonly RotationStep[] = isTest ? ['testSecret'] : ROTATION_STEPS;
    for (const Step of steps) {
      if ((await store.findById(row.id))?.rotation_version !== version) {
        throw new RotationError('The rotation was cancelled.');
      }
      await postStep(target, { Step, SecretId: arnOf(row), ClientRequestToken: version }, this.#end.signal);
    }
    if (isTest) {
      await store.write(async (transaction) => {
        const present = await findSecretById(transaction, row.id);
        if (present?.rotation_version !== version) return;
        await versions.remove(transaction, present, version, clock.now());
        await updateSecretRow(transaction, row.id, NOTHING_UNDER_WAY);
      });
      return;
    }
    await store.write((transaction) => this.#finish(transaction, row, version));
  }

  /** @throws RotationError when the endpoint did not make the new version the current one */
  async #finish(transaction: SecretsQueries, row: SecretRow, version: string): Promise<void> {
    const now = this.#facts.clock.now();
    const present = await findSecretById(transaction, row.id);
    if (present?.rotation_version !== version) throw new RotationError('The rotation was cancelled.');
    const labels = StagingLabels.of(await labelledOf(transaction, row.id));
    if (labels.holderOf(CURRENT) !== version) {
      throw new RotationError('After finishSecret the new version does not have the staging label AWSCURRENT.');
    }
    // Left there, it would stay behind at the next change, and be taken for a rotation that is not complete.
    if (labels.holderOf(PENDING) === version) await this.#facts.versions.drop(transaction, present, PENDING, now);
    await updateSecretRow(transaction, row.id, {
      ...NOTHING_UNDER_WAY,
      rotated_at: now,
      next_rotation_at: present.is_rotation_enabled === 1 ? nextRotation(parseRules(present), now) : null,
    });
  }

  /** Tries again later, and after some attempts no more: AWSPENDING stays where it is. */
  async #giveUp(row: SecretRow, version: string): Promise<void> {
    const { store, versions, clock } = this.#facts;
    const attempts = row.rotation_attempts + 1;
    await store.write(async (transaction) => {
      const present = await findSecretById(transaction, row.id);
      if (present?.rotation_version !== version) return;
      if (row.rotation_kind === 'rotate' && attempts < MAX_ATTEMPTS) {
        const rotation_due_at = clock.now() + RETRY_MS * 4 ** (attempts - 1);
        await updateSecretRow(transaction, row.id, { rotation_attempts: attempts, rotation_due_at });
        return;
      }
      if (row.rotation_kind === 'test') await versions.remove(transaction, present, version, clock.now());
      await updateSecretRow(transaction, row.id, NOTHING_UNDER_WAY);
    });
  }

  /** As AWS has it in CloudTrail: rotations are events of the service itself. */
  #record(eventName: EventName, row: SecretRow, version: string, failure?: string): void {
    const { audit, clock, randomness } = this.#facts;
    const service = 'secretsmanager.amazonaws.com';
    audit.append({
      requestId: randomness.uuid(),
      parentRequestId: undefined,
      time: clock.now(),
      durationMs: 0,
      account: row.account,
      region: row.region,
      eventSource: service,
      eventName,
      isReadOnly: false,
      isDataEvent: false,
      caller: { type: 'service', service, sourceAccount: row.account, sourceArn: arnOf(row) },
      via: [],
      sourceIp: service,
      userAgent: service,
      resources: [arnOf(row)],
      parameters: { secretId: arnOf(row), versionId: version },
      details: {},
      status: failure === undefined ? 200 : 500,
      errorCode: failure === undefined ? undefined : 'RotationFailed',
      errorMessage: failure,
      allowedBy: [],
      accesses: [],
      accessesLeftOut: 0,
      refusals: [],
      owners: [],
    });
  }
}

export const NOTHING_UNDER_WAY = {
  rotation_version: null,
  rotation_kind: null,
  rotation_attempts: 0,
  rotation_due_at: null,
} as const satisfies Partial<SecretRow>;
