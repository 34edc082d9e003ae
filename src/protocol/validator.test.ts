import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as kms from '@aws-sdk/client-kms';
import * as mediaconvert from '@aws-sdk/client-mediaconvert';
import type { Constraints } from '#kernel/service.ts';
import { jsonPointer, validationErrorMessage } from '#kernel/validation-message.ts';
import { compileService } from './compile-service.ts';
import { wireServiceOf } from './testing/sdk-loopback.ts';
import { compilePattern } from './validator.ts';

const tagKey = { required: true, min: 1, max: 4 };
const constraints: Constraints = {
  EncryptRequest: {
    KeyId: { required: true, min: 1, max: 8, pattern: '[a-z/]+' },
    Plaintext: { required: true, min: 1, max: 3 },
    EncryptionAlgorithm: { enum: ['SYMMETRIC_DEFAULT', 'RSAES'] },
    GrantTokens: { max: 2 },
  },
  'EncryptRequest.GrantTokens': { member: { min: 2, max: 4 } },
  'EncryptRequest.EncryptionContext': { key: { max: 2 }, value: { max: 3 } },
  Tag: { TagKey: tagKey, TagValue: { max: 4 } },
  CreateCustomKeyStoreRequest: { KeyStorePassword: { min: 7 } },
  GenerateDataKeyRequest: { NumberOfBytes: { min: 1, max: 1024, isNumeric: true, isInteger: true } },
};

const service = compileService(wireServiceOf('kms', 'awsJson1_1', kms, { targetPrefix: 'TrentService', constraints }));

function messageFor(operation: string, input: object): string {
  const violations = service.operations.get(operation)?.validate(input) ?? [];
  return violations.length === 0 ? '' : validationErrorMessage(violations);
}

const encrypt = { KeyId: 'a', Plaintext: Buffer.from('p') };
const one = '1 validation error detected: ';

describe('validation in the words of AWS', () => {
  it('takes what keeps the constraints', () => {
    assert.equal(messageFor('Encrypt', encrypt), '');
    assert.equal(messageFor('Encrypt', { ...encrypt, EncryptionContext: { a: 'b' }, GrantTokens: ['ab'] }), '');
  });

  it('names required members, those of the constraints and those that only the schemas know', () => {
    assert.equal(
      messageFor('Encrypt', {}),
      "2 validation errors detected: Value null at 'keyId' failed to satisfy constraint: Member must not be null; Value null at 'plaintext' failed to satisfy constraint: Member must not be null",
    );
    assert.match(messageFor('DescribeKey', {}), /Value null at 'keyId'/);
  });

  it('tells lengths, patterns and enumerations', () => {
    assert.equal(
      messageFor('Encrypt', { ...encrypt, KeyId: 'abcdefghi' }),
      `${one}Value 'abcdefghi' at 'keyId' failed to satisfy constraint: Member must have length less than or equal to 8`,
    );
    assert.equal(
      messageFor('Encrypt', { ...encrypt, KeyId: 'A' }),
      `${one}Value 'A' at 'keyId' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-z/]+`,
    );
    assert.match(
      messageFor('Encrypt', { ...encrypt, KeyId: '' }),
      /^2 validation errors detected: .* length greater than or equal to 1; /,
    );
    assert.equal(
      messageFor('Encrypt', { ...encrypt, EncryptionAlgorithm: 'x' }),
      `${one}Value 'x' at 'encryptionAlgorithm' failed to satisfy constraint: Member must satisfy enum value set: [SYMMETRIC_DEFAULT, RSAES]`,
    );
  });

  it('matches patterns against the whole value', () => {
    for (const KeyId of ['a\n', 'a b', ' a', 'aX']) assert.notEqual(messageFor('Encrypt', { ...encrypt, KeyId }), '');
  });

  it('counts characters, not code units', () => {
    const key = { KeyId: 'k', Tags: [{ TagKey: '😀😀😀😀', TagValue: '' }] };
    assert.equal(messageFor('TagResource', key), '');
    assert.match(
      messageFor('TagResource', { ...key, Tags: [{ TagKey: '😀😀😀😀😀', TagValue: '' }] }),
      /less than or equal to 4/,
    );
  });

  it('finds what is wrong inside lists and maps', () => {
    assert.equal(
      messageFor('TagResource', {
        KeyId: 'k',
        Tags: [
          { TagKey: 'a', TagValue: 'b' },
          { TagKey: 'abcde', TagValue: 'b' },
        ],
      }),
      `${one}Value 'abcde' at 'tags.2.member.tagKey' failed to satisfy constraint: Member must have length less than or equal to 4`,
    );
    assert.equal(
      messageFor('Encrypt', { ...encrypt, GrantTokens: ['ab', 'x'] }),
      `${one}Value '[x]' at 'grantTokens' failed to satisfy constraint: Member must satisfy constraint: [Member must have length greater than or equal to 2]`,
    );
    assert.match(
      messageFor('Encrypt', { ...encrypt, GrantTokens: ['ab', 'ab', 'ab'] }),
      /'\[ab, ab, ab\]' at 'grantTokens'/,
    );
    assert.match(
      messageFor('Encrypt', { ...encrypt, EncryptionContext: { abc: 'a' } }),
      /length less than or equal to 2/,
    );
    assert.match(
      messageFor('Encrypt', { ...encrypt, EncryptionContext: { a: 'abcd' } }),
      /length less than or equal to 3/,
    );
  });

  it('tells numbers out of range, that are not whole, or are none', () => {
    const message = (NumberOfBytes: number): string => messageFor('GenerateDataKey', { KeyId: 'k', NumberOfBytes });
    assert.equal(message(1024), '');
    assert.match(message(0), /Value '0' at 'numberOfBytes' .* value greater than or equal to 1$/);
    assert.match(message(1025), /value less than or equal to 1024$/);
    assert.match(message(1.5), /must be an integer/);
    assert.match(message(Number.NaN), /must be an integer/);
  });

  it('shows neither blobs nor sensitive members', () => {
    assert.equal(
      messageFor('Encrypt', { ...encrypt, Plaintext: Buffer.from('secret') }),
      `${one}Value at 'plaintext' failed to satisfy constraint: Member must have length less than or equal to 3`,
    );
    assert.match(
      messageFor('CreateCustomKeyStore', { CustomKeyStoreName: 'n', KeyStorePassword: 'secret' }),
      /Value at 'keyStorePassword'/,
    );
  });

  it('stops after many violations', () => {
    const Tags = Array.from({ length: 100_000 }, () => ({}));
    assert.match(messageFor('TagResource', { KeyId: 'k', Tags }), /^50 validation errors detected/);
  });

  it('spells paths as JSON pointers with the names of the wire', () => {
    const convert = compileService(
      wireServiceOf('mediaconvert', 'restJson1', mediaconvert, { constraints: { Output: { Extension: { max: 1 } } } }),
    );
    const [violation] =
      convert.operations.get('CreateJob')?.validate({
        Role: 'r',
        Settings: { OutputGroups: [{ Outputs: [{ Extension: 'mp4' }] }] },
      }) ?? [];
    assert.equal(jsonPointer(violation?.path ?? []), '/settings/outputGroups/0/outputs/0/extension');
  });
});

describe('patterns written for Java', () => {
  it('takes flags at the beginning and escapes that Unicode mode refuses', () => {
    assert(compilePattern('(?s).*').test('a\nb'));
    assert(compilePattern('^\\!?[a-z\\!]*$').test('!a'));
    assert(compilePattern('[\\p{L}\\p{Z}]+').test('ä ö'));
    assert(!compilePattern('a|b').test('ab'));
  });
});

describe('inputs for the audit log', () => {
  it('have no blobs and no sensitive members', () => {
    const redact = (name: string, input: object): unknown => service.operations.get(name)?.redact(input);
    assert.deepEqual(redact('Encrypt', { ...encrypt, EncryptionContext: { a: 'b' } }), {
      keyId: 'a',
      encryptionContext: { a: 'b' },
    });
    assert.deepEqual(redact('CreateCustomKeyStore', { CustomKeyStoreName: 'n', KeyStorePassword: 'secret' }), {
      customKeyStoreName: 'n',
      keyStorePassword: 'HIDDEN_DUE_TO_SECURITY_REASONS',
    });
  });
});
