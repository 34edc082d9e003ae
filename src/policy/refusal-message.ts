import type { Decision } from './evaluate.ts';

/**
 * The words in which AWS refuses a call.
 * @param principalName the caller's ARN, a service's name, or `anonymous`
 */
export function refusalMessage(principalName: string, action: string, resource: string, decision: Decision): string {
  const reason = decision.isExplicitDeny ? decision.reason : `because ${decision.reason}`;
  return `User: ${principalName} is not authorized to perform: ${action} on resource: ${resource} ${reason}`;
}
