import type { AccessEvaluation } from '#kernel/access-evaluation.ts';
import { ServiceError } from '#kernel/service-error.ts';

/** Makes what `sts:DecodeAuthorizationMessage` opens. Implemented by STS. */
interface AuthorizationMessageSealer {
  /** @returns `undefined` for callers without an account: nobody could open it */
  seal(evaluation: AccessEvaluation): string | undefined;
}

export interface RefusalEncoding {
  readonly sealer: AuthorizationMessageSealer;
  /** Whether it stands behind the message too, as EC2 has it, and not in the header alone. */
  readonly isAppended: boolean;
}

const HEADER = 'x-coffer-authorization-message';

/** The refusal with its encoded authorization message. */
export function withAuthorizationMessage(
  refusal: ServiceError,
  evaluation: AccessEvaluation,
  { sealer, isAppended }: RefusalEncoding,
): ServiceError {
  const encoded = sealer.seal(evaluation);
  if (encoded === undefined) return refusal;
  const { code, status, members, message } = refusal;
  const text = isAppended ? `${message}. Encoded authorization failure message: ${encoded}` : message;
  return new ServiceError(code, status, text, { members, headers: { ...refusal.headers, [HEADER]: encoded } });
}
