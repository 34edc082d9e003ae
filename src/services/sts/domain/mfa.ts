import type { Call } from '#kernel/operation.ts';
import type { IamApi } from '#services/iam/api.ts';
import { accessDenied } from '../errors.ts';

const WRONG_CODE = 'MultiFactorAuthentication failed with invalid MFA one time pass code. ';
const UNKNOWN_DEVICE =
  'MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and ' +
  'associated with this user.';
const BOTH_NEEDED = 'MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.';
const LOCKED =
  'MultiFactorAuthentication failed, too many invalid one time pass codes were given. Wait five minutes and try again.';

interface MfaInput {
  readonly SerialNumber?: string | undefined;
  readonly TokenCode?: string | undefined;
}

/** A code is taken once: what a call has established is kept with it. */
const established = new WeakMap<Call, Promise<boolean>>();

/**
 * Whether the call has given the current code of a device of its caller.
 * @throws ServiceError AccessDenied for a code that is wrong, was used before, or is of another's device
 */
export function isMfaAuthenticated(input: MfaInput, call: Call, iam: IamApi): Promise<boolean> {
  let result = established.get(call);
  if (result === undefined) {
    result = checkMfa(input, call, iam);
    established.set(call, result);
  }
  return result;
}

async function checkMfa({ SerialNumber, TokenCode }: MfaInput, call: Call, iam: IamApi): Promise<boolean> {
  if (SerialNumber === undefined && TokenCode === undefined) return false;
  if (SerialNumber === undefined || TokenCode === undefined) throw accessDenied(BOTH_NEEDED);
  const { caller, now } = call;
  // Devices are users': a role's session, and here the root user, have none.
  if (caller.type !== 'user') throw accessDenied(UNKNOWN_DEVICE);
  const verdict = await iam.mfaCodes.take(caller.principalId, SerialNumber, TokenCode, now);
  if (verdict === 'unknown') throw accessDenied(UNKNOWN_DEVICE);
  if (verdict === 'locked') throw accessDenied(LOCKED);
  if (verdict === 'wrong') throw accessDenied(WRONG_CODE);
  return true;
}
