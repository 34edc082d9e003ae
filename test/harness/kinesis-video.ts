import assert from 'node:assert/strict';
import { KinesisVideoServiceException } from '@aws-sdk/client-kinesis-video';

/** For `assert.rejects`: an error of the control plane, as the SDK read it from the wire. */
export function failsWith(name: string, status: number, message?: RegExp): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof KinesisVideoServiceException, String(error));
    assert.equal(error.name, name, error.message);
    assert.equal(error.$metadata.httpStatusCode, status);
    if (message !== undefined) assert.match(error.message, message);
    return true;
  };
}
