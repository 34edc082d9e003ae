import type { AuditRecord } from '#kernel/audit.ts';
import { accountOf } from '#kernel/caller.ts';
import type { ServiceError } from '#kernel/service-error.ts';
import type { GatewayCall } from './call.ts';
import type { Target } from './operations-table.ts';

export function auditRecordOf(
  target: Target,
  input: unknown,
  call: GatewayCall,
  finishedAt: number,
  failure: ServiceError | undefined,
): AuditRecord {
  return {
    requestId: call.requestId,
    parentRequestId: call.parentRequestId,
    time: call.now,
    durationMs: finishedAt - call.now,
    account: accountOf(call.caller),
    region: call.region,
    eventSource: target.service.eventSource,
    eventName: target.wire.name,
    isReadOnly: target.built?.isReadOnly ?? false,
    isDataEvent: target.built?.isDataEvent ?? false,
    caller: call.caller,
    via: call.via,
    sourceIp: call.source.sourceIp,
    userAgent: call.source.userAgent,
    resources: [...call.audit.resources],
    owners: [...call.owners],
    parameters: withoutSecrets(target, input),
    details: call.audit.details,
    status: failure?.status ?? call.reply.status ?? 200,
    errorCode: failure?.code,
    errorMessage: failure?.message,
    allowedBy: [...call.allowedBy],
    accesses: [...call.accesses.values()],
    accessesLeftOut: call.accessesLeftOut,
    refusals: call.refusals,
  };
}

// INVARIANT: what the schema or the operation calls sensitive does not get into the audit log, nor does a payload.
function withoutSecrets(target: Target, input: unknown): Record<string, unknown> | undefined {
  const redacted = target.wire.redact(input);
  if (typeof redacted !== 'object' || redacted === null) return undefined;
  if (target.secretMembers.size === 0) return redacted as Record<string, unknown>;
  return Object.fromEntries(Object.entries(redacted).filter(([name]) => !target.secretMembers.has(name)));
}
