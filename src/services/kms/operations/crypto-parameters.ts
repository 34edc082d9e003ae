import { DRY_RUN_SUCCEEDED, unsupported } from '../errors.ts';

interface CryptoParameters {
  /** Looked at for all operations at once: `takingGrantTokens`. */
  readonly GrantTokens?: readonly string[] | undefined;
  readonly Recipient?: object | undefined;
  readonly DryRunModifiers?: readonly string[] | undefined;
}

/** Refuses by name what the cryptographic operations do not carry out. */
export function refuseUnsupported(input: CryptoParameters): void {
  if (input.Recipient !== undefined) {
    throw unsupported('Recipient is not supported: there are no AWS Nitro Enclaves outside AWS.');
  }
  if (input.DryRunModifiers !== undefined && input.DryRunModifiers.length > 0) {
    throw unsupported('DryRunModifiers is not supported.');
  }
}

/** Ends a dry run, after permission and the key's state were checked. */
export function endDryRun(input: { readonly DryRun?: boolean | undefined }): void {
  if (input.DryRun === true) throw DRY_RUN_SUCCEEDED;
}
