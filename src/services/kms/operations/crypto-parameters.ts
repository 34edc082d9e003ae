import { DRY_RUN_SUCCEEDED, unsupported, validation } from '../errors.ts';

interface CryptoParameters {
  /** Looked at for all operations at once: `takingGrantTokens`. */
  readonly GrantTokens?: readonly string[] | undefined;
  readonly Recipient?: object | undefined;
}

/** Refuses by name what the cryptographic operations do not carry out. */
export function refuseUnsupported(input: CryptoParameters): void {
  if (input.Recipient !== undefined) {
    throw unsupported('Recipient is not supported: there are no AWS Nitro Enclaves outside AWS.');
  }
}

/** Ends a dry run, after permission and the key's state were checked. */
export function endDryRun(input: { readonly DryRun?: boolean | undefined }): void {
  if (input.DryRun === true) throw DRY_RUN_SUCCEEDED;
}

/**
 * Says whether a dry run asks of the keys alone, without a ciphertext.
 *
 * @throws ServiceError ValidationException where there is no dry run to modify
 */
export function ignoresCiphertext(input: {
  readonly DryRun?: boolean | undefined;
  readonly DryRunModifiers?: readonly string[] | undefined;
}): boolean {
  const modifiers = input.DryRunModifiers ?? [];
  if (modifiers.length > 0 && input.DryRun !== true) throw validation('DryRunModifiers are valid only with DryRun.');
  return modifiers.includes('IGNORE_CIPHERTEXT');
}
