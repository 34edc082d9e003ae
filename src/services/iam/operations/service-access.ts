import {
  type EntityDetails,
  GenerateServiceLastAccessedDetails$,
  type GenerateServiceLastAccessedDetailsRequest,
  type GenerateServiceLastAccessedDetailsResponse,
  GetServiceLastAccessedDetails$,
  type GetServiceLastAccessedDetailsRequest,
  type GetServiceLastAccessedDetailsResponse,
  GetServiceLastAccessedDetailsWithEntities$,
  type GetServiceLastAccessedDetailsWithEntitiesRequest,
  type GetServiceLastAccessedDetailsWithEntitiesResponse,
  type ListPoliciesGrantingServiceAccessEntry,
  ListPoliciesGrantingServiceAccess$,
  type ListPoliciesGrantingServiceAccessRequest,
  type ListPoliciesGrantingServiceAccessResponse,
  type ServiceLastAccessed,
} from '@aws-sdk/client-iam';
import type { AccountId } from '#kernel/ids.ts';
import { type Call, operation } from '#kernel/operation.ts';
import type { IamContext } from '../context.ts';
import { parseIamArn } from '../domain/identifiers.ts';
import { pageOfList } from '../domain/page.ts';
import { grantsAnythingOf, SERVICE_NAMES } from '../domain/service-namespaces.ts';
import { invalidInput, limitExceeded, noSuchEntity } from '../errors.ts';
import { identityPoliciesOf } from '../identity-policies.ts';
import type { TaskRecord } from '../records/tasks.ts';
import { findSubject, type ServiceAccess } from '../service-access.ts';
import { forgetOldTasks } from '../tasks.ts';
import { callerAccount, checkAttachable, required } from './targets.ts';

/** Reports that an account may have under way. */
const MAX_RUNNING = 100;

type Granularity = 'SERVICE_LEVEL' | 'ACTION_LEVEL';

/** @throws ServiceError NoSuchEntity, InvalidInput */
async function checkSubject(account: AccountId, arn: string, iam: IamContext): Promise<void> {
  if (parseIamArn('policy', arn) !== undefined) return checkAttachable(iam.store.read, account, arn);
  const isPrincipal = (['user', 'group', 'role'] as const).some((kind) => parseIamArn(kind, arn) !== undefined);
  if (!isPrincipal) throw invalidInput(`ARN ${arn} is not valid.`);
  if ((await findSubject(account, arn, iam.store)) === undefined) throw noSuchEntity(`ARN ${arn} does not exist.`);
}

const generateServiceLastAccessedDetails = operation<
  IamContext,
  GenerateServiceLastAccessedDetailsRequest,
  GenerateServiceLastAccessedDetailsResponse
>(GenerateServiceLastAccessedDetails$, {
  authorize: (input) => [{ action: 'iam:GenerateServiceLastAccessedDetails', resource: required(input.Arn, 'Arn') }],
  async handle(input, call, iam) {
    const account = callerAccount(call);
    const subject = required(input.Arn, 'Arn');
    await checkSubject(account, subject, iam);
    const granularity: Granularity = input.Granularity ?? 'SERVICE_LEVEL';
    const task: TaskRecord = {
      id: iam.randomness.uuid(),
      account,
      kind: 'service-last-accessed',
      subject,
      status: 'IN_PROGRESS',
      created_at: call.now,
      finished_at: null,
      request: JSON.stringify({ granularity }),
      result: null,
    };
    await iam.store.writeAside(async (transaction) => {
      await forgetOldTasks(transaction, account, call.now);
      const running = await transaction
        .selectFrom('iam_task')
        .select('id')
        .where('account', '=', account)
        .where('status', '=', 'IN_PROGRESS')
        .execute();
      if (running.length >= MAX_RUNNING) throw limitExceeded(`${MAX_RUNNING} reports are under way.`);
      await transaction.insertInto('iam_task').values(task).execute();
    });
    iam.serviceAccess.begin(task);
    return { JobId: task.id };
  },
});

async function getTask(jobId: string | undefined, call: Call, iam: IamContext) {
  const id = required(jobId, 'JobId');
  const task = await iam.store.read
    .selectFrom('iam_task')
    .selectAll()
    .where('id', '=', id)
    .where('account', '=', callerAccount(call))
    .where('kind', '=', 'service-last-accessed')
    .executeTakeFirst();
  if (task === undefined) throw noSuchEntity(`Job ${id} cannot be found.`);
  // A server that was stopped in the middle has left it.
  if (task.status === 'IN_PROGRESS') iam.serviceAccess.begin(task);
  const { granularity } = JSON.parse(task.request) as { readonly granularity: Granularity };
  const services = JSON.parse(task.result ?? '[]') as readonly ServiceAccess[];
  const facts = {
    JobStatus: task.status === 'DONE' ? 'COMPLETED' : task.status,
    JobCreationDate: new Date(task.created_at),
    JobCompletionDate: task.finished_at === null ? undefined : new Date(task.finished_at),
    ...(task.status === 'FAILED' && {
      Error: { Message: 'The report could not be made; the server’s log says why.', Code: 'ServiceFailure' },
    }),
  } as const;
  return { facts, granularity, services };
}

function serviceOutput(access: ServiceAccess, granularity: Granularity): ServiceLastAccessed {
  const { namespace, last, entities, actions } = access;
  return {
    ServiceName: SERVICE_NAMES[namespace] ?? namespace,
    ServiceNamespace: namespace,
    TotalAuthenticatedEntities: entities.filter(({ time }) => time !== null).length,
    ...(last !== null && {
      LastAuthenticated: new Date(last.time),
      LastAuthenticatedEntity: last.entity,
      LastAuthenticatedRegion: last.region,
    }),
    ...(granularity === 'ACTION_LEVEL' && {
      TrackedActionsLastAccessed: Object.entries(actions)
        .toSorted(([left], [right]) => (left < right ? -1 : 1))
        .map(([ActionName, { time, region, entity }]) => ({
          ActionName,
          LastAccessedTime: new Date(time),
          LastAccessedRegion: region,
          LastAccessedEntity: entity,
        })),
    }),
  };
}

const getServiceLastAccessedDetails = operation<
  IamContext,
  GetServiceLastAccessedDetailsRequest,
  GetServiceLastAccessedDetailsResponse
>(GetServiceLastAccessedDetails$, {
  authorize: () => [{ action: 'iam:GetServiceLastAccessedDetails', resource: '*' }],
  async handle(input, call, iam) {
    const { facts, granularity, services } = await getTask(input.JobId, call, iam);
    const { items, ...rest } = pageOfList(services, input, ({ namespace }) => namespace);
    return {
      ...facts,
      JobType: granularity,
      ServicesLastAccessed: items.map((item) => serviceOutput(item, granularity)),
      ...rest,
    };
  },
});

const getServiceLastAccessedDetailsWithEntities = operation<
  IamContext,
  GetServiceLastAccessedDetailsWithEntitiesRequest,
  GetServiceLastAccessedDetailsWithEntitiesResponse
>(GetServiceLastAccessedDetailsWithEntities$, {
  authorize: () => [{ action: 'iam:GetServiceLastAccessedDetailsWithEntities', resource: '*' }],
  async handle(input, call, iam) {
    const { facts, services } = await getTask(input.JobId, call, iam);
    const namespace = required(input.ServiceNamespace, 'ServiceNamespace');
    const service = services.find((candidate) => candidate.namespace === namespace);
    if (service === undefined && facts.JobStatus === 'COMPLETED') {
      throw noSuchEntity(`The job has nothing of the service ${namespace}.`);
    }
    const { items, ...rest } = pageOfList(service?.entities ?? [], input, ({ arn }) => arn);
    const EntityDetailsList: EntityDetails[] = items.map(({ id, arn, name, kind, path, time }) => ({
      EntityInfo: { Arn: arn, Name: name, Type: kind === 'role' ? 'ROLE' : 'USER', Id: id, Path: path },
      ...(time !== null && { LastAuthenticated: new Date(time) }),
    }));
    return { ...facts, JobCompletionDate: facts.JobCompletionDate, EntityDetailsList, ...rest };
  },
});

const OWNER_TYPES = { user: 'USER', group: 'GROUP', role: 'ROLE' } as const;

const listPoliciesGrantingServiceAccess = operation<
  IamContext,
  ListPoliciesGrantingServiceAccessRequest,
  ListPoliciesGrantingServiceAccessResponse
>(ListPoliciesGrantingServiceAccess$, {
  authorize: (input) => [{ action: 'iam:ListPoliciesGrantingServiceAccess', resource: required(input.Arn, 'Arn') }],
  async handle(input, call, iam) {
    const account = callerAccount(call);
    const arn = required(input.Arn, 'Arn');
    if (parseIamArn('policy', arn) !== undefined) throw invalidInput(`ARN ${arn} is not valid.`);
    await checkSubject(account, arn, iam);
    const principal = await findSubject(account, arn, iam.store);
    const policies = principal === undefined ? [] : await identityPoliciesOf(principal, iam.store);
    const namespaces = [...new Set(required(input.ServiceNamespaces, 'ServiceNamespaces'))];
    const entries: ListPoliciesGrantingServiceAccessEntry[] = namespaces.map((ServiceNamespace) => ({
      ServiceNamespace,
      Policies: policies
        .filter(({ policy }) => grantsAnythingOf(policy, ServiceNamespace.toLowerCase()))
        .map(({ name, arn: PolicyArn, owner }) =>
          PolicyArn === undefined
            ? { PolicyName: name, PolicyType: 'INLINE', EntityType: OWNER_TYPES[owner.kind], EntityName: owner.name }
            : { PolicyName: name, PolicyType: 'MANAGED', PolicyArn },
        ),
    }));
    const { items, ...rest } = pageOfList(entries, input, (entry) => entry.ServiceNamespace ?? '');
    return { PoliciesGrantingServiceAccess: [...items], ...rest };
  },
});

export const serviceAccessOperations = [
  generateServiceLastAccessedDetails,
  getServiceLastAccessedDetails,
  getServiceLastAccessedDetailsWithEntities,
  listPoliciesGrantingServiceAccess,
];
