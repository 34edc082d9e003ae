import type { AuditRecord } from '#kernel/audit.ts';
import { accountOf, type Caller, type SessionFacts } from '#kernel/caller.ts';
import { parseArn } from '#kernel/arn.ts';
import type { EventFacts } from './audit-event.ts';
import { resourceTypeOf } from './resource-type.ts';
import type { BufferedEvent } from './event-buffer.ts';
import { evaluationFor } from './evaluation-for.ts';

const EVENT_VERSION = '1.11';

/**
 * Turns an audit record into CloudTrail's event, once for the caller's account and once for each other account whose
 * resources it touched.
 */
export function toBufferedEvents(record: AuditRecord, eventId: string): BufferedEvent[] {
  const accounts = new Set<string>(record.owners);
  if (record.account !== undefined) accounts.add(record.account);
  for (const resource of record.resources) {
    const owner = parseArn(resource)?.account;
    if (owner !== undefined && owner !== '') accounts.add(owner);
  }
  return [...accounts].map((account) => bufferedEvent(record, eventId, account));
}

function bufferedEvent(record: AuditRecord, id: string, account: string): BufferedEvent {
  const facts = eventJson(record, id, account);
  const event = { time: record.time, userName: userNameOf(record.caller), json: JSON.stringify(facts), facts };
  return { account, event };
}

/** The members that CloudTrail's user guide lists ("CloudTrail record contents"), and ours in `additionalEventData`. */
function eventJson(record: AuditRecord, eventID: string, account: string): EventFacts {
  const invokedBy = record.via.at(-1);
  return {
    eventVersion: EVENT_VERSION,
    userIdentity: { ...userIdentity(record.caller), ...(invokedBy === undefined ? {} : { invokedBy }) },
    eventTime: new Date(record.time).toISOString().replace(/\.\d{3}Z$/, 'Z'),
    eventSource: record.eventSource,
    eventName: record.eventName,
    awsRegion: record.region,
    sourceIPAddress: record.sourceIp,
    userAgent: record.userAgent,
    ...(record.errorCode === undefined ? {} : { errorCode: record.errorCode, errorMessage: record.errorMessage ?? '' }),
    requestParameters: record.parameters ?? null,
    responseElements: null,
    additionalEventData: {
      ...record.details,
      httpStatus: record.status,
      durationMs: record.durationMs,
      ...(record.allowedBy.length > 0 ? { allowedBy: record.allowedBy } : {}),
      ...(record.accesses.length > 0 ? { accesses: record.accesses } : {}),
      ...(record.accessesLeftOut > 0 ? { accessesLeftOut: record.accessesLeftOut } : {}),
      ...(record.refusals.length > 0
        ? { refusals: record.refusals.map((refusal) => evaluationFor(refusal, account)) }
        : {}),
      ...(record.via.length > 0 ? { via: record.via } : {}),
      ...(record.parentRequestId === undefined ? {} : { parentRequestID: record.parentRequestId }),
    },
    requestID: record.requestId,
    eventID,
    readOnly: record.isReadOnly,
    resources: record.resources.map((ARN) => ({
      accountId: parseArn(ARN)?.account || account,
      type: resourceTypeOf(ARN),
      ARN,
    })),
    eventType: 'AwsApiCall',
    managementEvent: !record.isDataEvent,
    recipientAccountId: account,
    eventCategory: record.isDataEvent ? 'Data' : 'Management',
  };
}

function userNameOf(caller: Caller): string {
  switch (caller.type) {
    case 'root':
      return 'root';
    case 'user':
      return caller.userName;
    case 'assumed-role':
      return caller.sessionName;
    case 'federated-user':
      return caller.federatedUserName;
    case 'service':
      return caller.service;
    case 'anonymous':
      return 'anonymous';
  }
}

function accessKeyOf(caller: Caller): string | undefined {
  return 'accessKeyId' in caller ? caller.accessKeyId : undefined;
}

function userIdentity(caller: Caller): EventFacts['userIdentity'] {
  const accessKeyId = accessKeyOf(caller);
  const key = accessKeyId === undefined ? {} : { accessKeyId };
  switch (caller.type) {
    case 'anonymous':
      return { type: 'AWSAccount', principalId: '', accountId: 'anonymous' };
    case 'service':
      return { type: 'AWSService', invokedBy: caller.service, accountId: accountOf(caller) };
    case 'root':
      return { type: 'Root', principalId: caller.principalId, arn: caller.arn, accountId: caller.accountId, ...key };
    case 'user':
      return {
        type: 'IAMUser',
        principalId: caller.principalId,
        arn: caller.arn,
        accountId: caller.accountId,
        ...key,
        userName: caller.userName,
      };
    case 'federated-user':
      return {
        type: 'FederatedUser',
        principalId: caller.principalId,
        arn: caller.arn,
        accountId: caller.accountId,
        ...key,
        sessionContext: {
          sessionIssuer: {
            type: caller.issuerId === caller.accountId ? 'Root' : 'IAMUser',
            principalId: caller.issuerId,
            arn: caller.issuerArn,
            accountId: caller.accountId,
          },
          attributes: sessionAttributes(caller.session),
        },
      };
    case 'assumed-role':
      return {
        type: 'AssumedRole',
        principalId: caller.principalId,
        arn: caller.arn,
        accountId: caller.accountId,
        ...key,
        sessionContext: {
          sessionIssuer: {
            type: 'Role',
            principalId: caller.principalId.split(':')[0],
            arn: caller.roleArn,
            accountId: caller.accountId,
            userName: caller.roleName,
          },
          attributes: sessionAttributes(caller.session),
        },
      };
  }
}

function sessionAttributes({ issuedAt, isMfaAuthenticated }: SessionFacts) {
  return {
    creationDate: new Date(issuedAt).toISOString().replace(/\.\d{3}Z$/, 'Z'),
    mfaAuthenticated: String(isMfaAuthenticated),
  };
}
