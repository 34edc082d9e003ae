import type { Call } from '#kernel/operation.ts';
import type { S3Context } from '../context.ts';
import { settingsOf } from '../domain/bucket-settings.ts';
import { accessDenied } from '../errors.ts';
import type { BucketRow } from '../store.ts';

/** `x-amz-mfa`: the device's serial number, a space and its code. */
const MFA = /^(\S+) (\d{6})$/;

/**
 * Takes the code that a request brings of the MFA device of the bucket owner's root user, who alone may do what is asked
 * here (S3 user guide, "Configuring MFA delete").
 *
 * @throws ServiceError AccessDenied
 */
export async function requireMfa(s3: S3Context, call: Call, bucket: BucketRow, mfa: string | undefined): Promise<void> {
  const { caller } = call;
  const [, serial, code] = MFA.exec(mfa ?? '') ?? [];
  if (caller.type !== 'root' || caller.accountId !== bucket.account) throw mfaMissing();
  if (serial === undefined || code === undefined) throw mfaMissing();
  if (!(await s3.takeRootMfaCode(bucket.account, serial, code, call.now))) throw mfaMissing();
}

/** Asks for a code before versions are removed for good, where the bucket has MFA delete. */
export async function requireMfaToRemove(
  s3: S3Context,
  call: Call,
  input: { readonly Bucket: string | undefined; readonly MFA?: string | undefined },
): Promise<void> {
  const bucket = await s3.scope.bucket(call, input.Bucket ?? '');
  if (settingsOf(bucket).mfaDelete === 'Enabled') await requireMfa(s3, call, bucket, input.MFA);
}

function mfaMissing(): Error {
  return accessDenied('Mfa Authentication must be used for this request');
}
