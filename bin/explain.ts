import type { AccessEvaluation } from '#kernel/access-evaluation.ts';
import { denyingStatements, type Grant, suggestGrants } from '#policy/suggest-grants.ts';
import type { CloudTrailLog } from '#services/cloudtrail/api.ts';
import type { AuditEvent } from '#services/cloudtrail/domain/audit-event.ts';
import type { CloudTrailStore } from '#services/cloudtrail/store.ts';
import type { IamApi } from '#services/iam/api.ts';
import type { AuthorizationMessages } from '#services/sts/authorization-messages.ts';
import { AdministrationError } from './administration-error.ts';

/** One refused access, with what would have allowed it. */
export interface ExplainedAccess {
  readonly evaluation: AccessEvaluation;
  readonly grants: readonly Grant[];
  /** The statements that deny it: no other one would help. */
  readonly denials: readonly {
    readonly policy: string;
    readonly type: string;
    readonly index: number;
    readonly sid?: string;
  }[];
}

/** A failed request of the audit log; for a message that was decoded there is no more than its access. */
export interface ExplainedRequest {
  readonly requestId?: string;
  /** The request that led to it, where it was a call between services. */
  readonly parentRequestId?: string;
  readonly time?: string;
  readonly service?: string;
  readonly operation?: string;
  readonly errorCode?: string;
  readonly errorMessage?: string;
  readonly accesses: readonly ExplainedAccess[];
  /** Where it comes from: a message does not hold which policies were looked at. */
  readonly source: 'audit-log' | 'message';
}

interface StoredEvent {
  readonly eventID: string;
  readonly eventTime: string;
  readonly eventSource: string;
  readonly eventName: string;
  readonly errorCode?: string;
  readonly errorMessage?: string;
  readonly requestID: string;
  readonly additionalEventData?: {
    readonly refusals?: readonly AccessEvaluation[];
    readonly parentRequestID?: string;
  };
}

export interface ExplainParts {
  readonly iam: IamApi;
  readonly trail: CloudTrailStore;
  readonly log: CloudTrailLog;
  readonly messages: AuthorizationMessages;
}

/** Longer than any request's id, shorter than any message. */
const MAX_ID = 128;

/**
 * Says how a refused request was decided.
 * @param subject a request's id, or an encoded authorization message
 * @throws AdministrationError
 */
export async function explainRefusal(subject: string, parts: ExplainParts): Promise<readonly ExplainedRequest[]> {
  if (subject.length > MAX_ID) return [explainMessage(subject, await accountsOf(parts), parts.messages)];
  await parts.log.flush();
  const rows = await parts.trail.findFailures(subject);
  if (rows.length === 0) {
    throw new AdministrationError(
      `The audit log has no failed request ${subject}. It keeps 90 days, and explains only what was refused.`,
    );
  }
  return mergeAccounts(rows).map(explainEvent);
}

/** A request across accounts stands in both logs, in each with that account's own policies: the operator sees both. */
function mergeAccounts(rows: readonly AuditEvent[]): StoredEvent[] {
  const events = new Map<string, StoredEvent>();
  for (const row of rows) {
    const event = JSON.parse(row.json) as StoredEvent;
    const other = events.get(event.eventID);
    events.set(event.eventID, other === undefined ? event : mergeEvents(other, event));
  }
  return [...events.values()];
}

function mergeEvents(a: StoredEvent, b: StoredEvent): StoredEvent {
  const refusals = (a.additionalEventData?.refusals ?? []).map((first, index) => {
    const second = b.additionalEventData?.refusals?.[index];
    if (second === undefined) return first;
    const knows = (item: AccessEvaluation) => item.missing !== undefined || item.isExplicitDeny;
    return { ...(knows(first) ? first : second), policies: [...first.policies, ...second.policies] };
  });
  return { ...a, additionalEventData: { ...a.additionalEventData, refusals } };
}

function explainEvent(event: StoredEvent): ExplainedRequest {
  const { refusals = [], parentRequestID } = event.additionalEventData ?? {};
  return {
    requestId: event.requestID,
    ...(parentRequestID !== undefined && { parentRequestId: parentRequestID }),
    time: event.eventTime,
    service: event.eventSource,
    operation: event.eventName,
    ...(event.errorCode !== undefined && { errorCode: event.errorCode }),
    ...(event.errorMessage !== undefined && { errorMessage: event.errorMessage }),
    accesses: refusals.map(explainAccess),
    source: 'audit-log',
  };
}

function explainAccess(evaluation: AccessEvaluation): ExplainedAccess {
  return {
    evaluation,
    grants: suggestGrants(evaluation),
    denials: denyingStatements(evaluation).map(({ policy, statement }) => ({
      policy: policy.name,
      type: policy.type,
      index: statement.index,
      ...(statement.sid !== undefined && { sid: statement.sid }),
    })),
  };
}

async function accountsOf({ iam }: ExplainParts): Promise<readonly string[]> {
  return (await iam.accounts.list()).map(({ accountId }) => accountId);
}

/** What a message says: less than the audit log, but also when that is gone. */
function explainMessage(
  subject: string,
  accounts: readonly string[],
  messages: AuthorizationMessages,
): ExplainedRequest {
  for (const account of accounts) {
    const text = messages.open(subject, account);
    if (text === undefined) continue;
    return { accesses: [explainAccess(evaluationOf(JSON.parse(text) as DecodedMessage, account))], source: 'message' };
  }
  throw new AdministrationError('This is neither a request’s id nor an authorization message that was made here.');
}

interface Items<Item> {
  readonly items: readonly Item[];
}
type Values = Items<{ readonly value: string }>;
interface DecodedMessage {
  readonly explicitDeny: boolean;
  readonly matchedStatements: Items<{
    readonly statementId: string;
    readonly actions: Values;
    readonly resources: Values;
  }>;
  readonly failures: Items<{ readonly policyType?: AccessEvaluation['missing']; readonly value: string }>;
  readonly context: {
    readonly principal: { readonly id: string; readonly arn: string };
    readonly action: string;
    readonly resource: string;
    readonly conditions: Items<{ readonly key: string; readonly values: Values }>;
  };
}

function evaluationOf(message: DecodedMessage, account: string): AccessEvaluation {
  const { principal, action, resource, conditions } = message.context;
  const [failure] = message.failures.items;
  const values = Object.fromEntries(
    conditions.items.map(({ key, values: { items } }) => [
      key,
      items.length === 1 ? (items[0]?.value ?? '') : items.map(({ value }) => value),
    ]),
  );
  const owner = typeof values['aws:resourceaccount'] === 'string' ? values['aws:resourceaccount'] : undefined;
  return {
    action,
    resource,
    isAllowed: false,
    isExplicitDeny: message.explicitDeny,
    reason: failure?.value ?? (message.explicitDeny ? 'with an explicit deny' : ''),
    ...(failure?.policyType !== undefined && { missing: failure.policyType }),
    principal: { ...principal, account, type: typeOf(principal.arn) },
    ...(owner !== undefined && { resourceAccount: owner }),
    isCrossAccount: owner !== undefined && owner !== account,
    policies: [],
    conditions: values,
    isShortened: true,
  };
}

function typeOf(arn: string): string {
  if (arn.endsWith(':root')) return 'root';
  if (arn.includes(':assumed-role/')) return 'assumed-role';
  return arn.includes(':federated-user/') ? 'federated-user' : 'user';
}
