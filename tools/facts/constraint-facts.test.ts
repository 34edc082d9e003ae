import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as kms from '@aws-sdk/client-kms';
import { operationSchemasOf } from '../../src/kernel/service.ts';
import { validationErrorMessage } from '../../src/kernel/validation-message.ts';
import { compileService } from '../../src/protocol/compile-service.ts';
import { wireServiceOf } from '../../src/protocol/testing/sdk-loopback.ts';
import { compilePattern } from '../../src/protocol/validator.ts';
import { constraints as cloudtrail } from '../../src/services/cloudtrail/generated/constraints.ts';
import { constraints as iam } from '../../src/services/iam/generated/constraints.ts';
import { constraints as kinesisVideo } from '../../src/services/kinesis-video/generated/constraints.ts';
import { constraints as kinesisVideoArchivedMedia } from '../../src/services/kinesis-video-archived-media/generated/constraints.ts';
import { constraints as kmsConstraints } from '../../src/services/kms/generated/constraints.ts';
import { constraints as mediaconnect } from '../../src/services/mediaconnect/generated/constraints.ts';
import { constraints as mediaconvert } from '../../src/services/mediaconvert/generated/constraints.ts';
import { constraints as s3 } from '../../src/services/s3/generated/constraints.ts';
import { constraints as secretsManager } from '../../src/services/secrets-manager/generated/constraints.ts';
import { constraints as sts } from '../../src/services/sts/generated/constraints.ts';
import { collectConstraints } from './constraint-facts.ts';

const all = {
  cloudtrail,
  iam,
  kinesisVideo,
  kinesisVideoArchivedMedia,
  kmsConstraints,
  mediaconnect,
  mediaconvert,
  s3,
  secretsManager,
  sts,
};

describe('the generated constraints', () => {
  it('have patterns that compile', () => {
    for (const [service, constraints] of Object.entries(all)) {
      for (const members of Object.values(constraints)) {
        for (const { pattern } of Object.values(members)) {
          if (pattern !== undefined) assert.doesNotThrow(() => compilePattern(pattern), `${service}: ${pattern}`);
        }
      }
    }
  });

  it('act on inputs by the names of the schemas, also in lists that the schemas do not name', () => {
    const service = compileService(wireServiceOf('kms', 'awsJson1_1', kms, { constraints: kmsConstraints }));
    const messageFor = (operation: string, input: object): string =>
      validationErrorMessage(service.operations.get(operation)?.validate(input) ?? []);
    assert.match(
      messageFor('Decrypt', { CiphertextBlob: Buffer.alloc(6145) }),
      /Value at 'ciphertextBlob' .* less than or equal to 6144/,
    );
    assert.match(messageFor('CreateKey', { KeySpec: 'X' }), /Value 'X' at 'keySpec' .* enum value set: \[RSA_2048, /);
    assert.match(
      messageFor('Encrypt', { KeyId: 'k', Plaintext: Buffer.from('p'), GrantTokens: [''] }),
      /'\[\]' at 'grantTokens'/,
    );
    assert.match(
      messageFor('CreateGrant', { KeyId: 'k', GranteePrincipal: 'p', Operations: ['Fly'] }),
      /'\[Fly\]' at 'operations'/,
    );
    assert.match(messageFor('GenerateDataKey', { KeyId: 'k', NumberOfBytes: 1025 }), /'1025' at 'numberOfBytes'/);
  });
});

describe('collecting constraints', () => {
  const model = {
    metadata: { apiVersion: '1', protocol: 'json', serviceId: 'KMS' },
    operations: {
      DescribeKey: { name: 'DescribeKey', http: { method: 'POST', requestUri: '/' }, input: { shape: 'In' } },
    },
    shapes: {
      In: {
        type: 'structure',
        required: ['KeyId'],
        members: { KeyId: { shape: 'Id' }, GrantTokens: { shape: 'Tokens' }, Gone: { shape: 'Id' } },
      },
      Id: { type: 'string', min: 1, max: 2048 },
      Tokens: { type: 'list', max: 10, member: { shape: 'Token' } },
      Token: { type: 'string', pattern: '[\\s\\S]*', max: 8192 },
    },
  };

  it('goes by the names of the schemas and says where they and the model disagree', () => {
    const operations = operationSchemasOf(kms).filter((schema) => schema[2] === 'DescribeKey');
    const { facts, disagreements } = collectConstraints(model, operations, kms);
    assert.deepEqual(
      [...facts].map(([owner, members]) => [owner, Object.fromEntries(members)]),
      [
        ['DescribeKeyRequest', { KeyId: { required: true, min: 1, max: 2048 }, GrantTokens: { max: 10 } }],
        ['DescribeKeyRequest.GrantTokens', { member: { max: 8192 } }],
      ],
    );
    assert.deepEqual(disagreements, ['DescribeKeyRequest.Gone is not in the schemas']);
  });
});
