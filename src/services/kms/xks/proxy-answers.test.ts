import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readMembers, readWrappedText } from './proxy-answers.ts';
import { XksFailure } from './proxy-failure.ts';

/** The example of the public specification of the proxy API. */
const EXAMPLE = {
  authenticationTag: 'vBxN2ncH1oEkR8WVXpmyYQ==',
  ciphertext: 'ghxkK1txeDNn3q8Y',
  ciphertextDataIntegrityValue: 'qHA/ImC9h5HsLRXqCyPmWgYx7tzyoTplzILbP0fPXsc=',
  ciphertextMetadata: 'a2V5X3ZlcnNpb249MQ==',
  initializationVector: 'HMrlRw85cAJUd5Ax',
};
const AAD = Buffer.from('project=nile,department=marketing');

const isUnreadable = (error: unknown) => error instanceof XksFailure && error.kind === 'unreadable';

describe('what an external key store proxy encrypted', () => {
  it('is read as the specification’s example has it', () => {
    const { metadata, ciphertext } = readWrappedText(EXAMPLE, 12, AAD);
    assert.equal(Buffer.from(metadata).toString(), 'key_version=1');
    assert.equal(ciphertext.length, 12);
  });

  it('is refused with another length or other data, and with a character of it changed or missing', () => {
    assert.throws(() => readWrappedText(EXAMPLE, 13, AAD), isUnreadable);
    assert.throws(() => readWrappedText(EXAMPLE, 12, AAD.subarray(1)), isUnreadable);
    for (const [name, text] of Object.entries(EXAMPLE)) {
      for (const wrong of [text.replace(/^./, text.startsWith('A') ? 'B' : 'A'), text.slice(1), `${text}=`, 1, null]) {
        assert.throws(() => readWrappedText({ ...EXAMPLE, [name]: wrong }, 12, AAD), isUnreadable, `${name} ${wrong}`);
      }
    }
  });
});

describe('an answer of an external key store proxy', () => {
  it('is an object in JSON and UTF-8, and its error one that the specification names', () => {
    for (const body of ['', '[]', 'null', '1', '{', '{"a":1}x', '\u00ff']) {
      assert.throws(() => readMembers(200, Buffer.from(body, 'latin1')), isUnreadable, body);
    }
    const kindOf = (status: number, body: string): string => {
      try {
        readMembers(status, Buffer.from(body));
        return 'none';
      } catch (error) {
        return error instanceof XksFailure ? error.kind : String(error);
      }
    };
    assert.equal(kindOf(200, '{"errorName":"KeyNotFoundException"}'), 'none');
    assert.equal(kindOf(404, '{"errorName":"KeyNotFoundException"}'), 'keyNotFound');
    assert.equal(kindOf(404, '{"errorName":"toString"}'), 'unreadable');
    assert.equal(kindOf(500, '{}'), 'unreadable');
  });
});
