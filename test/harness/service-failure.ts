import assert from 'node:assert/strict';
import { KMSServiceException } from '@aws-sdk/client-kms';

/** For `assert.rejects`: an error of KMS with this code, and with this message where one is given. */
export function failsAs(name: string, message?: RegExp): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof KMSServiceException, String(error));
    assert.equal(error.name, name, error.message);
    if (message !== undefined) assert.match(error.message, message);
    return true;
  };
}
