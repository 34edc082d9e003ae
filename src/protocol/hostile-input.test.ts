import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as iam from '@aws-sdk/client-iam';
import * as kms from '@aws-sdk/client-kms';
import * as mediaconvert from '@aws-sdk/client-mediaconvert';
import * as s3 from '@aws-sdk/client-s3';
import fc from 'fast-check';
import { ServiceError } from '#kernel/service-error.ts';
import { compileService } from './compile-service.ts';
import type { CompiledOperation, WireService } from './compiled-service.ts';
import { parseQuery } from './query-parameters.ts';
import { wireServiceOf } from './testing/sdk-loopback.ts';

function operationOf(service: WireService, name: string): CompiledOperation {
  const operation = compileService(service).operations.get(name);
  assert(operation !== undefined);
  return operation;
}

const encrypt = operationOf(wireServiceOf('kms', 'awsJson1_1', kms), 'Encrypt');
const createJob = operationOf(wireServiceOf('mediaconvert', 'restJson1', mediaconvert), 'CreateJob');
const createRole = operationOf(wireServiceOf('iam', 'awsQuery', iam), 'CreateRole');
const deleteObjects = operationOf(wireServiceOf('s3', 'restXml', s3), 'DeleteObjects');
const putEncryption = operationOf(wireServiceOf('s3', 'restXml', s3), 'PutBucketEncryption');
const listObjects = operationOf(wireServiceOf('s3', 'restXml', s3), 'ListObjects');

const NO_QUERY = parseQuery('');

function decode(operation: CompiledOperation, body: string | Buffer, query = ''): unknown {
  return operation.decode({ labels: { Bucket: 'b' }, query: parseQuery(query), headers: {}, body: Buffer.from(body) });
}

function refusal(operation: CompiledOperation, body: string | Buffer, query = ''): ServiceError {
  try {
    decode(operation, body, query);
  } catch (error) {
    assert(error instanceof ServiceError, `not a ServiceError: ${String(error)}`);
    assert.equal(error.status, 400);
    return error;
  }
  return assert.fail('The input was taken.');
}

describe('hostile JSON', () => {
  it('refuses what is not JSON, without quoting it', () => {
    for (const body of ['{', '{"KeyId":"secret', 'nonsense-secret', '[', '{"KeyId":"a"}x', '\u0000']) {
      assert.doesNotMatch(refusal(encrypt, body).message, /secret/);
    }
  });

  it('refuses bodies that are not UTF-8, and half surrogates', () => {
    refusal(encrypt, Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]));
    refusal(encrypt, '{"KeyId":"\\ud800"}');
  });

  it('names the member whose type is wrong', () => {
    assert.match(refusal(encrypt, '{"KeyId":1}').message, /NUMBER_VALUE can not be converted to a String \(at KeyId\)/);
    assert.match(refusal(encrypt, '{"EncryptionContext":[]}').message, /at EncryptionContext/);
    assert.match(refusal(encrypt, '{"EncryptionContext":{"a":{}}}').message, /at EncryptionContext\.a/);
    assert.match(refusal(encrypt, '{"GrantTokens":["a",2]}').message, /at GrantTokens\.1/);
    assert.match(refusal(encrypt, '{"GrantTokens":[null]}').message, /at GrantTokens\.0/);
    assert.match(
      refusal(createJob, '{"settings":{"inputs":[{"videoSelector":7}]}}').message,
      /settings\.inputs\.0\.videoSelector/,
    );
    refusal(encrypt, '[]');
    refusal(encrypt, '"text"');
    refusal(encrypt, 'null');
  });

  it('refuses base64 that is not whole, without quoting it', () => {
    for (const text of ['A', 'AA', 'AAA', 'AA=A', '====', 'AAAA AAAA', 'AAA-', 'é']) {
      assert.match(refusal(encrypt, JSON.stringify({ Plaintext: text })).message, /base64 \(at Plaintext\)/);
    }
    assert.deepEqual(decode(encrypt, '{"Plaintext":"QUI="}'), { Plaintext: Buffer.from('AB') });
  });

  it('ignores unknown members, nulls and prototypes', () => {
    const input = decode(
      encrypt,
      '{"KeyId":"k","Other":[1],"DryRun":null,"__proto__":{"polluted":1},"constructor":{}}',
    );
    assert.deepEqual(input, { KeyId: 'k' });
    assert.equal(Object.getPrototypeOf(input), Object.prototype);
  });

  it('keeps __proto__ as an ordinary key of a map', () => {
    const input = decode(encrypt, '{"EncryptionContext":{"__proto__":"a","toString":"b"}}');
    const context: unknown = Reflect.get(Object(input), 'EncryptionContext');
    assert.deepEqual(Object.entries(Object(context)), [
      ['__proto__', 'a'],
      ['toString', 'b'],
    ]);
    assert.equal(Object.getPrototypeOf(context), Object.prototype);
  });

  it('survives nesting of any depth', () => {
    refusal(encrypt, '['.repeat(1_000_000));
    refusal(encrypt, `{"KeyId":${'['.repeat(100_000)}${']'.repeat(100_000)}}`);
    assert.deepEqual(decode(encrypt, `{"Other":${'['.repeat(100_000)}${']'.repeat(100_000)}}`), {});
  });

  it('refuses numbers that no number can hold', () => {
    refusal(createJob, '{"priority":1e999}');
    refusal(createJob, '{"priority":"12"}');
    assert.deepEqual(decode(createJob, '{"priority":-3}'), { Priority: -3 });
  });

  it('answers any bytes with an input or a refusal', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((text) => Buffer.from(text)),
        ),
        (body) => {
          try {
            decode(createJob, Buffer.from(body));
          } catch (error) {
            assert(error instanceof ServiceError);
          }
        },
      ),
    );
  });
});

describe('hostile XML', () => {
  const root = (content: string): string => `<Delete>${content}</Delete>`;

  it('refuses what is not well-formed', () => {
    for (const body of [
      '',
      '<',
      '<Delete>',
      '<Delete><Object></Delete>',
      '<Delete></Delete><Delete></Delete>',
      'text',
      '<Delete>&unknown;</Delete>x',
      root('<Object><Key>a & b</Key></Object>'),
      root('<Object><Key>a&nbsp;b</Key></Object>'),
      root('<Object><Key>&#0;</Key></Object>'),
      root('<Object><Key>&#xD800;</Key></Object>'),
      root('<Object><Key>&#x110000;</Key></Object>'),
      root('<Object><Key>&#x1</Key></Object>'),
      '<Other></Other>',
    ]) {
      if (body !== '') refusal(deleteObjects, body);
    }
    refusal(deleteObjects, Buffer.from([0x3c, 0x61, 0x3e, 0xff, 0x3c, 0x2f, 0x61, 0x3e]));
  });

  it('refuses document types, so that no entity can grow or fetch anything', () => {
    const laughs =
      '<!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><Delete><Object><Key>&b;</Key></Object></Delete>';
    assert.match(refusal(deleteObjects, laughs).message, /document type/);
    refusal(deleteObjects, '<!doctype d SYSTEM "file:///etc/passwd"><Delete/>');
  });

  it('refuses deep nesting', () => {
    refusal(deleteObjects, `<Delete>${'<a>'.repeat(100)}${'</a>'.repeat(100)}</Delete>`);
    refusal(deleteObjects, `<Delete>${'<a>'.repeat(100_000)}`);
  });

  it('takes comments, CDATA, references, prefixes and space as they are meant', () => {
    const body = `<?xml version="1.0"?><!-- c --><s3:Delete xmlns:s3="http://s3.amazonaws.com/doc/2006-03-01/">
      <s3:Object><s3:Key> a<!-- c -->b&lt;&#65;&#x1F600;<![CDATA[<&amp;]]> </s3:Key></s3:Object>
      <Unknown><Key>x</Key></Unknown><Quiet> true </Quiet></s3:Delete>`;
    assert.deepEqual(decode(deleteObjects, body), {
      Bucket: 'b',
      Delete: { Objects: [{ Key: ' ab<A😀<&amp; ' }], Quiet: true },
    });
  });

  it('refuses an element that stands twice, or elements where text belongs', () => {
    assert.match(refusal(deleteObjects, root('<Quiet>true</Quiet><Quiet>false</Quiet>')).message, /at Quiet/);
    assert.match(refusal(deleteObjects, root('<Quiet><a/></Quiet>')).message, /at Quiet/);
    assert.match(refusal(deleteObjects, root('<Object><Key><a/></Key></Object>')).message, /at Object\.Key/);
    refusal(deleteObjects, root('<Quiet>perhaps</Quiet>'));
  });

  it('is not touched by names of prototypes', () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '#text', ':@']) {
      try {
        decode(deleteObjects, root(`<${name}>x</${name}>`));
      } catch (error) {
        assert(error instanceof ServiceError);
      }
    }
    assert.equal(Reflect.get({}, 'x'), undefined);
  });

  it('leaves the payload out when there is no body', () => {
    assert.deepEqual(decode(putEncryption, ''), { Bucket: 'b' });
  });

  it('answers any text with an input or a refusal', () => {
    const pieces = fc.constantFrom(
      '<Delete>',
      '</Delete>',
      '<Object>',
      '</Object>',
      '<Key>',
      '</Key>',
      '<',
      '>',
      '&',
      ';',
      '&lt;',
      '<!--',
      '-->',
      '<![CDATA[',
      ']]>',
      '"',
      '<?',
      '?>',
      'x',
      '\u0001',
      '😀',
    );
    fc.assert(
      fc.property(fc.array(pieces), (parts) => {
        try {
          decode(deleteObjects, parts.join(''));
        } catch (error) {
          assert(error instanceof ServiceError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('hostile forms and queries', () => {
  it('refuses names that nest without end, indexes that are none, and doubled names', () => {
    refusal(createRole, `Tags${'.member.1'.repeat(40)}=x`);
    refusal(createRole, 'Tags.member.x.Key=a');
    refusal(createRole, 'Tags.member.0.Key=a');
    refusal(createRole, 'Tags.member.-1.Key=a');
    refusal(createRole, 'Tags.member.99999999999.Key=a');
    refusal(createRole, 'RoleName=a&RoleName=b');
    refusal(createRole, 'RoleName=a', 'RoleName=b');
    refusal(createRole, 'RoleName.a=b');
    refusal(createRole, 'MaxSessionDuration=soon');
    refusal(createRole, 'RoleName=%ff');
    refusal(createRole, 'RoleName=%zz');
  });

  it('puts a sparse list in the order of its indexes, and takes an empty one', () => {
    const input = decode(
      createRole,
      'Tags.member.9.Key=b&Tags.member.9.Value=&Tags.member.2.Key=a+%2B&RoleName=r&Unknown.x=1',
    );
    assert.deepEqual(input, { RoleName: 'r', Tags: [{ Key: 'a +' }, { Key: 'b', Value: '' }] });
    assert.deepEqual(decode(createRole, 'Tags='), { Tags: [] });
  });

  it('limits the number of parameters', () => {
    assert.throws(() => parseQuery('a&'.repeat(20_001)));
    assert.equal(parseQuery('&&&').size, 0);
  });

  it("answers a bad argument of S3's with its name and value", () => {
    const error = refusal(listObjects, '', 'max-keys=many');
    assert.equal(error.code, 'InvalidArgument');
    assert.equal(error.message, 'Provided max-keys not an integer or within integer range');
    assert.deepEqual(error.members, { ArgumentName: 'max-keys', ArgumentValue: 'many' });
    refusal(listObjects, '', 'max-keys=1e3');
    refusal(listObjects, '', 'max-keys=');
  });

  it('takes the first of doubled parameters, and plus as a space', () => {
    assert.deepEqual(decode(listObjects, '', 'prefix=a+b%2B&prefix=c'), { Bucket: 'b', Prefix: 'a b+' });
    assert.equal(NO_QUERY.size, 0);
  });
});
