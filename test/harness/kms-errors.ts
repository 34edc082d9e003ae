import assert from 'node:assert/strict';
import { KMSServiceException } from '@aws-sdk/client-kms';

/** A check for `assert.rejects`: KMS refused with this error and, where given, this message. */
export function failsWith(name: string, message?: RegExp | string): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof KMSServiceException, String(error));
    assert.equal(error.name, name, error.message);
    if (typeof message === 'string') assert.equal(error.message, message);
    else if (message !== undefined) assert.match(error.message, message);
    return true;
  };
}
