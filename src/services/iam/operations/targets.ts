import { accountOf } from '#kernel/caller.ts';
import type { AccountId } from '#kernel/ids.ts';
import type { AccessRequest, Call, ConditionContext, Operation } from '#kernel/operation.ts';
import type { IamContext } from '../context.ts';
import { awsManagedPolicies } from '../domain/aws-managed-policies.ts';
import { parseIamArn, policyArn, principalArn } from '../domain/identifiers.ts';
import { KINDS, type PrincipalKind } from '../domain/principal-kind.ts';
import { accessDenied, invalidInput, noSuchEntity, validation } from '../errors.ts';
import { findPrincipal, type IamQueries, type PolicyRecord, type PrincipalRecord } from '../store.ts';

/** The SDK's schema of an operation, for those that are made by the same function. */
export type OperationSchema = Operation<IamContext>['schema'];

/** The account in which the call acts. */
export function callerAccount(call: Call): AccountId {
  const account = accountOf(call.caller);
  if (account === undefined) throw accessDenied('Anonymous callers have no account.');
  return account;
}

/** IAM keeps times in whole seconds. */
export function creationTime(call: Call): number {
  return Math.floor(call.now / 1000) * 1000;
}

/** A member that the model requires; the gateway has checked it already. */
export function required<Value>(value: Value | undefined, member: string): Value {
  if (value === undefined) throw validation(`The request must contain the parameter ${member}.`);
  return value;
}

interface AccessFacts {
  readonly context?: ConditionContext;
  readonly requestTags?: Readonly<Record<string, string>>;
}

/**
 * The question whether the caller may do `action` on a user, group or role. One that does not exist is asked for under
 * the path `/`, so that who may not know learns nothing.
 */
export async function accessToPrincipal(
  action: string,
  kind: PrincipalKind,
  name: string | undefined,
  call: Call,
  iam: IamContext,
  facts: AccessFacts = {},
): Promise<AccessRequest[]> {
  const account = callerAccount(call);
  const given = required(name, `${KINDS[kind].title}Name`);
  const found = await iam.store.findPrincipal(account, kind, given);
  const resource = principalArn(kind, found ?? { account, path: '/', name: given });
  if (found === undefined) return [{ action, resource, ...facts }];
  const tags = await iam.store.tagsOf(found.id);
  const context = { ...boundaryContext(found.boundary_arn), ...tagContext(tags), ...facts.context };
  return [{ action, resource, ...facts, context, resourceTags: tags }];
}

/** As `accessToPrincipal`, for a managed policy. */
export async function accessToPolicy(
  action: string,
  arn: string | undefined,
  call: Call,
  iam: IamContext,
  facts: AccessFacts = {},
): Promise<AccessRequest[]> {
  const resource = required(arn, 'PolicyArn');
  const found = await findPolicy(iam.store.read, resource);
  if (found === undefined || found.account !== callerAccount(call)) return [{ action, resource, ...facts }];
  const tags = await iam.store.tagsOf(found.id);
  const context = { ...tagContext(tags), ...facts.context };
  return [{ action, resource, ...facts, context, resourceTags: tags }];
}

function boundaryContext(arn: string | null | undefined): ConditionContext {
  return arn === null || arn === undefined ? {} : { 'iam:PermissionsBoundary': arn };
}

export function tagContext(tags: Readonly<Record<string, string>>): ConditionContext {
  return Object.fromEntries(Object.entries(tags).map(([key, value]) => [`iam:ResourceTag/${key}`, value]));
}

/** @throws ServiceError NoSuchEntity */
export async function getPrincipal(
  queries: IamQueries,
  account: AccountId,
  kind: PrincipalKind,
  name: string | undefined,
): Promise<PrincipalRecord> {
  const { title } = KINDS[kind];
  const given = required(name, `${title}Name`);
  const found = await findPrincipal(queries, account, kind, given);
  if (found === undefined) throw noSuchEntity(`The ${kind} with name ${given} cannot be found.`);
  return found;
}

function findPolicy(queries: IamQueries, arn: string): Promise<PolicyRecord | undefined> {
  return queries.selectFrom('iam_policy').selectAll().where('arn', '=', arn).executeTakeFirst();
}

/**
 * A customer managed policy of the caller's account.
 * @throws ServiceError NoSuchEntity, InvalidInput for what is no policy's ARN, AccessDenied for AWS's own policies
 */
export async function getOwnPolicy(queries: IamQueries, account: AccountId, arn: string): Promise<PolicyRecord> {
  const parts = parseIamArn('policy', arn);
  if (parts === undefined) throw invalidInput(`ARN ${arn} is not valid.`);
  if (awsManagedPolicies.has(arn)) throw accessDenied(`Policy ${arn} is managed by AWS and cannot be changed.`);
  const found = await findPolicy(queries, arn);
  if (found === undefined || found.account !== account) throw noSuchEntity(`Policy ${arn} was not found.`);
  return found;
}

/**
 * Checks that a managed policy may be attached in an account, or be a boundary in it.
 * @throws ServiceError NoSuchEntity or InvalidInput
 */
export async function checkAttachable(queries: IamQueries, account: AccountId, arn: string): Promise<void> {
  const parts = parseIamArn('policy', arn);
  if (parts === undefined) throw invalidInput(`ARN ${arn} is not valid.`);
  if (awsManagedPolicies.has(arn)) return;
  const found = await findPolicy(queries, arn);
  if (found === undefined || found.account !== account || policyArn(found) !== arn) {
    throw noSuchEntity(`Policy ${arn} does not exist or is not attachable.`);
  }
}
