import assert from 'node:assert/strict';
import { SecretsManagerServiceException } from '@aws-sdk/client-secrets-manager';

/** For `assert.rejects`: an error of Secrets Manager, all of whose errors at the client's fault have the status 400. */
export function failsWith(name: string, message?: RegExp): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof SecretsManagerServiceException, String(error));
    assert.equal(error.name, name, error.message);
    assert.equal(error.$metadata.httpStatusCode, 400);
    if (message !== undefined) assert.match(error.message, message);
    return true;
  };
}
