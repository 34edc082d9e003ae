import type { AuditRecord } from '#kernel/audit.ts';
import { accountOf } from '#kernel/caller.ts';
import type { ServiceError } from '#kernel/service-error.ts';
import type { GatewayCall } from './call.ts';
import type { BuiltOperation, Target } from './operations-table.ts';

export function auditRecordOf(
  target: Target,
  built: BuiltOperation,
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
    eventName: target.name,
    isReadOnly: built.operation.isReadOnly,
    isDataEvent: built.operation.isDataEvent,
    caller: call.caller,
    via: call.via,
    sourceIp: call.source.sourceIp,
    userAgent: call.source.userAgent,
    resources: [...call.audit.resources],
    parameters: built.redact(input),
    details: call.audit.details,
    status: failure?.status ?? call.reply.status ?? 200,
    errorCode: failure?.code,
    errorMessage: failure?.message,
    allowedBy: [...call.allowedBy],
  };
}
