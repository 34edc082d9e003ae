import type { AccountId } from '#kernel/ids.ts';
import type { Logger } from '#kernel/logger.ts';
import { compilePolicy } from '#policy/compile-policy.ts';
import type { PrincipalActivity, OperationUse } from '#services/cloudtrail/api.ts';
import { findManagedDocument } from './managed-document.ts';
import { parseIamArn, principalArn } from './domain/identifiers.ts';
import { grantsAnythingOf, SERVICE_NAMES } from './domain/service-namespaces.ts';
import { identityPoliciesOf, membersOf } from './identity-policies.ts';
import { serviceOf } from './last-uses.ts';
import type { TaskRecord } from './records/tasks.ts';
import type { IamStore, PrincipalRecord } from './store.ts';

/** When somebody last used something. */
interface Access {
  readonly time: number;
  readonly region: string;
  /** The ARN of the user or role. */
  readonly entity: string;
}

interface EntityAccess {
  readonly id: string;
  readonly arn: string;
  readonly name: string;
  readonly kind: 'user' | 'role';
  readonly path: string;
  /** Milliseconds since the epoch; `null` for one that never was there. */
  readonly time: number | null;
}

/** Of one service that the subject's policies allow something of. Kept in JSON. */
export interface ServiceAccess {
  readonly namespace: string;
  readonly last: Access | null;
  /** Each user and role that the subject stands for. */
  readonly entities: readonly EntityAccess[];
  /** The operations that were used, by name. */
  readonly actions: Readonly<Record<string, Access>>;
}

/**
 * The reports of which services somebody used, from the audit log: made one after the other in the background, and again
 * after a restart in the middle.
 */
export class ServiceAccessReports {
  readonly #store: IamStore;
  readonly #activity: PrincipalActivity;
  readonly #logger: Logger;
  readonly #running = new Set<string>();
  #queue: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(store: IamStore, activity: PrincipalActivity, logger: Logger) {
    this.#store = store;
    this.#activity = activity;
    this.#logger = logger;
  }

  /** Begins a report that was asked for, unless it is under way. */
  begin(task: Pick<TaskRecord, 'id' | 'account' | 'subject'>): void {
    if (this.#isClosed || this.#running.has(task.id)) return;
    this.#running.add(task.id);
    this.#queue = this.#queue.then(() => this.#carryOut(task)).finally(() => this.#running.delete(task.id));
  }

  /** What was begun is left as it is; it is begun again when somebody asks for it. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#queue;
  }

  async #carryOut(task: Pick<TaskRecord, 'id' | 'account' | 'subject'>): Promise<void> {
    if (this.#isClosed) return;
    try {
      const result = await this.#report(task.account, task.subject);
      if (result !== undefined) await this.#finish(task.id, 'DONE', JSON.stringify(result));
    } catch (error) {
      this.#logger.error({ err: error, task: task.id }, 'a report of what was accessed failed');
      await this.#finish(task.id, 'FAILED', null).catch((failure: unknown) => {
        this.#logger.error({ err: failure, task: task.id }, 'nor could that be written');
      });
    }
  }

  async #finish(id: string, status: TaskRecord['status'], result: string | null): Promise<void> {
    await this.#store.writeAside((transaction) =>
      transaction
        .updateTable('iam_task')
        .set({ status, result, finished_at: Date.now() })
        .where('id', '=', id)
        .execute(),
    );
  }

  /** `undefined` when the server ended meanwhile. */
  async #report(account: AccountId, subject: string): Promise<ServiceAccess[] | undefined> {
    const namespaces = await this.#grantedTo(account, subject);
    const entities = await entitiesOf(account, subject, this.#store);
    const byId = new Map(entities.map((entity) => [entity.id, entity]));
    const uses = new Map<string, OperationUse>();
    for await (const stretch of this.#activity.lastUses(account)) {
      if (this.#isClosed) return undefined;
      for (const use of stretch) {
        const [id = ''] = use.principalId.split(':');
        if (!byId.has(id)) continue;
        // Later stretches are later.
        uses.set(`${id} ${use.source} ${use.operation}`, { ...use, principalId: id });
      }
    }
    return namespaces.map((namespace) => accessOf(namespace, entities, [...uses.values()]));
  }

  async #grantedTo(account: AccountId, subject: string): Promise<string[]> {
    const principal = await findSubject(account, subject, this.#store);
    const documents: string[] = [];
    const managed = principal === undefined ? await findManagedDocument(this.#store, subject) : undefined;
    if (managed !== undefined) documents.push(managed);
    const policies = documents.map((document) => compilePolicy(document, 'identity'));
    if (principal !== undefined) {
      for (const { policy } of await identityPoliciesOf(principal, this.#store)) policies.push(policy);
    }
    return Object.keys(SERVICE_NAMES).filter((namespace) =>
      policies.some((policy) => grantsAnythingOf(policy, namespace)),
    );
  }
}

/** The user, group or role with this ARN; `undefined` for policies, and for what is not there. */
export async function findSubject(
  account: AccountId,
  arn: string,
  store: IamStore,
): Promise<PrincipalRecord | undefined> {
  for (const kind of ['user', 'group', 'role'] as const) {
    const parts = parseIamArn(kind, arn);
    if (parts === undefined || parts.account !== account) continue;
    const found = await store.findPrincipal(account, kind, parts.name);
    return found !== undefined && principalArn(kind, found) === arn ? found : undefined;
  }
  return undefined;
}

/** The users and roles that a subject stands for: itself, a group's members, those who have a policy. */
async function entitiesOf(account: AccountId, subject: string, store: IamStore): Promise<PrincipalRecord[]> {
  const principal = await findSubject(account, subject, store);
  if (principal?.kind === 'group') return membersOf([principal.id], store);
  if (principal !== undefined) return [principal];
  const holders = await store.read
    .selectFrom('iam_attachment')
    .innerJoin('iam_principal', 'iam_principal.id', 'iam_attachment.principal_id')
    .selectAll('iam_principal')
    .where('iam_attachment.policy_arn', '=', subject)
    .where('iam_attachment.account', '=', account)
    .orderBy('iam_principal.name_key')
    .execute();
  const groups = holders.filter(({ kind }) => kind === 'group').map(({ id }) => id);
  const members = groups.length === 0 ? [] : await membersOf(groups, store);
  const all = [...holders.filter(({ kind }) => kind !== 'group'), ...members];
  return [...new Map(all.map((entity) => [entity.id, entity])).values()];
}

function accessOf(
  namespace: string,
  entities: readonly PrincipalRecord[],
  allUses: readonly OperationUse[],
): ServiceAccess {
  const uses = allUses.filter(({ source }) => serviceOf(source) === namespace).toSorted((a, b) => a.time - b.time);
  const arnOf = new Map(entities.map((entity) => [entity.id, arnOfEntity(entity)]));
  const actions: Record<string, Access> = {};
  let last: Access | null = null;
  for (const { principalId, operation, region, time } of uses) {
    last = { time, region, entity: arnOf.get(principalId) ?? '' };
    actions[operation] = last;
  }
  return {
    namespace,
    last,
    actions,
    entities: entities.map((entity) => ({
      id: entity.id,
      arn: arnOfEntity(entity),
      name: entity.name,
      kind: entity.kind === 'role' ? 'role' : 'user',
      path: entity.path,
      time: uses.findLast(({ principalId }) => principalId === entity.id)?.time ?? null,
    })),
  };
}

function arnOfEntity(entity: PrincipalRecord): string {
  return principalArn(entity.kind, entity);
}
