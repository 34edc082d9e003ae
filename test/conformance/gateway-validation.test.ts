import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { errorCodeOf, errorMessageOf, type RawResponse, sendRaw } from '../harness/raw-connection.ts';
import { type SigningCredentials, signHeader, type UnsignedRequest } from '../harness/sigv4-signer.ts';

describe('validation, in each service’s own words', () => {
  let platform: TestPlatform;
  let credentials: SigningCredentials;

  before(async () => {
    platform = await startTestPlatform();
    credentials = platform.clientConfig().credentials;
    const { status } = await send('s3', { method: 'PUT', path: '/bucket' });
    assert.equal(status, 200);
  });
  after(() => platform.stop());

  function send(service: string, request: UnsignedRequest): Promise<RawResponse> {
    const host = new URL(platform.endpoint).host;
    return sendRaw(platform.endpoint, signHeader(request, { credentials, service, host }));
  }

  function json(service: 'kms' | 'cloudtrail', operation: string, input: unknown): Promise<RawResponse> {
    const prefix = service === 'kms' ? 'TrentService' : 'CloudTrail_20131101';
    const body = Buffer.from(typeof input === 'string' ? input : JSON.stringify(input));
    const headers = [['X-Amz-Target', `${prefix}.${operation}`]] as const;
    return send(service, { method: 'POST', path: '/', headers, body });
  }

  function form(service: 'iam' | 'sts', parameters: string): Promise<RawResponse> {
    const version = service === 'iam' ? '2010-05-08' : '2011-06-15';
    const headers = [['Content-Type', 'application/x-www-form-urlencoded']] as const;
    const body = Buffer.from(`${parameters}&Version=${version}`);
    return send(service, { method: 'POST', path: '/', headers, body });
  }

  function isRefused(response: RawResponse, code: string, message: string): void {
    assert.deepEqual([response.status, errorCodeOf(response), errorMessageOf(response)], [400, code, message]);
  }

  const detected = (...details: string[]): string =>
    `${details.length} validation error${details.length === 1 ? '' : 's'} detected: ${details.join('; ')}`;

  it('KMS and CloudTrail: ValidationException', async () => {
    const cases: readonly (readonly [operation: string, input: unknown, detail: string])[] = [
      ['DescribeKey', {}, "Value null at 'keyId' failed to satisfy constraint: Member must not be null"],
      [
        'DescribeKey',
        { KeyId: '' },
        "Value '' at 'keyId' failed to satisfy constraint: Member must have length greater than or equal to 1",
      ],
      [
        'ListKeys',
        { Limit: 0 },
        "Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1",
      ],
      [
        'ListKeys',
        { Limit: 1001 },
        "Value '1001' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 1000",
      ],
      [
        'CreateAlias',
        { AliasName: 'alias/ä', TargetKeyId: 'a' },
        "Value 'alias/ä' at 'aliasName' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$",
      ],
      [
        'GenerateDataKey',
        { KeyId: 'a', KeySpec: 'AES_512' },
        "Value 'AES_512' at 'keySpec' failed to satisfy constraint: Member must satisfy enum value set: [AES_256, AES_128]",
      ],
      [
        'TagResource',
        { KeyId: 'a', Tags: [{ TagKey: '', TagValue: 'x' }] },
        "Value '' at 'tags.1.member.tagKey' failed to satisfy constraint: Member must have length greater than or equal to 1",
      ],
      // The value itself is secret.
      [
        'Encrypt',
        { KeyId: 'a', Plaintext: Buffer.alloc(4097, 1).toString('base64') },
        "Value at 'plaintext' failed to satisfy constraint: Member must have length less than or equal to 4096",
      ],
    ];
    for (const [operation, input, detail] of cases) {
      isRefused(await json('kms', operation, input), 'ValidationException', detected(detail));
    }
    const two = await json('kms', 'Encrypt', {});
    const missing = (name: string) => `Value null at '${name}' failed to satisfy constraint: Member must not be null`;
    isRefused(two, 'ValidationException', detected(missing('keyId'), missing('plaintext')));
    const range = await json('cloudtrail', 'LookupEvents', { MaxResults: 51 });
    const tooMany =
      "Value '51' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 50";
    isRefused(range, 'ValidationException', detected(tooMany));
  });

  it('KMS: SerializationException for what is not in the form', async () => {
    for (const [input, message] of [
      ['{', 'The body is not valid JSON'],
      ['[]', 'START_ARRAY can not be converted to a structure'],
      ['{"KeyId":1}', 'NUMBER_VALUE can not be converted to a String (at KeyId)'],
      ['{"Plaintext":"***"}', 'The value is not valid base64 (at Plaintext)'],
      ['{"EncryptionContext":[]}', 'START_ARRAY can not be converted to a map (at EncryptionContext)'],
      ['{"GrantTokens":{}}', 'START_OBJECT can not be converted to a list (at GrantTokens)'],
    ] as const) {
      isRefused(await json('kms', 'Encrypt', input), 'SerializationException', message);
    }
    const deep = await json('kms', 'Encrypt', `${'['.repeat(100_000)}${']'.repeat(100_000)}`);
    assert.equal(deep.status, 400);
  });

  it('IAM and STS: ValidationError', async () => {
    const absent = "Value null at 'userName' failed to satisfy constraint: Member must not be null";
    isRefused(await form('iam', 'Action=CreateUser'), 'ValidationError', detected(absent));
    const says = (value: string, what: string) => `The specified value for ${value} is invalid. ${what}`;
    isRefused(
      await form('iam', 'Action=CreateUser&UserName=a%20b'),
      'ValidationError',
      says('userName', 'It must contain only alphanumeric characters and/or the following: +=,.@_-'),
    );
    isRefused(
      await form('iam', 'Action=CreateUser&UserName=ab&Path=media'),
      'ValidationError',
      says('path', 'It must begin and end with / and contain only alphanumeric characters and/or / characters.'),
    );
    isRefused(
      await form('iam', `Action=PutUserPolicy&UserName=ab&PolicyName=p&PolicyDocument=${encodeURIComponent('\uff53')}`),
      'ValidationError',
      says('policyDocument', 'It must contain only printable ASCII characters.'),
    );
    const long = `Value '${'a'.repeat(65)}' at 'roleName' failed to satisfy constraint: Member must have length less than or equal to 64`;
    isRefused(await form('iam', `Action=GetRole&RoleName=${'a'.repeat(65)}`), 'ValidationError', detected(long));
    const items =
      "Value '0' at 'maxItems' failed to satisfy constraint: Member must have value greater than or equal to 1";
    isRefused(await form('iam', 'Action=ListUsers&MaxItems=0'), 'ValidationError', detected(items));
    isRefused(await form('iam', 'Action=ListUsers&MaxItems=x'), 'MalformedInput', "'x' is not a number (at MaxItems)");
    isRefused(
      await form('sts', 'Action=AssumeRole&RoleArn=x&RoleSessionName=a%20b&DurationSeconds=1'),
      'ValidationError',
      detected(
        "Value 'x' at 'roleArn' failed to satisfy constraint: Member must have length greater than or equal to 20",
        "Value 'a b' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*",
        "Value '1' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900",
      ),
    );
  });

  it('MediaConvert: BadRequestException with pointers', async () => {
    const create = (body: unknown) =>
      send('mediaconvert', { method: 'POST', path: '/2017-08-29/jobs', body: Buffer.from(JSON.stringify(body)) });
    const list = (name: string, value: string) =>
      send('mediaconvert', { method: 'GET', path: '/2017-08-29/jobs', query: [[name, value]] });
    const code = 'BadRequestException';
    isRefused(await create({}), code, ': role is a required property | : settings is a required property');
    isRefused(
      await create({ role: 'x', settings: { inputs: 'no' } }),
      code,
      '/inputs: STRING_VALUE can not be converted to a list',
    );
    // A setting of a newer API must not be accepted and ignored.
    isRefused(
      await create({ role: 'x', settings: { inputs: [{ fileInput: 's3://a/b', newSetting: 1 }] } }),
      code,
      "/inputs/0: There is no member 'newSetting'",
    );
    isRefused(await list('maxResults', '21'), code, '/maxResults: Should be less than or equal to 20');
    isRefused(await list('maxResults', 'x'), code, '/maxResults: The value is not an integer');
    assert.match(
      errorMessageOf(await list('status', 'DONE')),
      /^\/status: Should be equal to one of the allowed values/,
    );
  });

  it('S3: a code for each thing', async () => {
    const cases: readonly (readonly [request: UnsignedRequest, code: string, message: RegExp])[] = [
      [
        { method: 'GET', path: '/bucket', query: [['max-keys', 'x']] },
        'InvalidArgument',
        /^Provided max-keys not an integer or within integer range$/,
      ],
      [{ method: 'GET', path: '/bucket', query: [['max-keys', '-1']] }, 'InvalidArgument', /between 0 and 2147483647$/],
      [
        { method: 'GET', path: '/bucket', query: [['encoding-type', 'x']] },
        'InvalidArgument',
        /^Invalid Encoding Method specified in Request$/,
      ],
      [
        { method: 'PUT', path: '/bucket/key', headers: [['x-amz-storage-class', 'COLDER']] },
        'InvalidStorageClass',
        /^The storage class you specified is not valid$/,
      ],
      [
        { method: 'PUT', path: '/bucket/key', headers: [['x-amz-server-side-encryption', 'rot13']] },
        'InvalidArgument',
        /^The encryption method specified is not supported$/,
      ],
      ...['us-east-1', 'mars-north-1'].map(
        (region) =>
          [
            {
              method: 'PUT',
              path: '/elsewhere',
              body: Buffer.from(
                `<CreateBucketConfiguration><LocationConstraint>${region}</LocationConstraint></CreateBucketConfiguration>`,
              ),
            },
            'InvalidLocationConstraint',
            /^The specified location-constraint is not valid$/,
          ] as const,
      ),
      [{ method: 'PUT', path: '/Bucket_' }, 'InvalidBucketName', /^The specified bucket is not valid/],
      ...['<Delete></Delete>', '<Delete>', '<Other/>', '<!DOCTYPE a [<!ENTITY b "c">]><Delete/>'].map(
        (xml) =>
          [
            { method: 'POST', path: '/bucket', query: [['delete', '']], body: Buffer.from(xml) },
            'MalformedXML',
            /not well-formed or did not validate/,
          ] as const,
      ),
      [
        { method: 'POST', path: '/bucket', query: [['delete', '']] },
        'MissingRequestBodyError',
        /^Request Body is empty$/,
      ],
      [
        {
          method: 'PUT',
          path: '/bucket',
          query: [['encryption', '']],
          body: Buffer.from('<ServerSideEncryptionConfiguration/>'),
        },
        'MalformedXML',
        /not well-formed or did not validate/,
      ],
    ];
    for (const [request, code, message] of cases) {
      const response = await send('s3', request);
      assert.deepEqual([response.status, errorCodeOf(response)], [400, code], `${request.path} ${response.text}`);
      assert.match(errorMessageOf(response), message);
    }
  });
});
