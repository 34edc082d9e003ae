import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import {
  AccessAnalyzerClient,
  ValidatePolicyCommand,
  type ValidatePolicyCommandInput,
  type ValidatePolicyFinding,
  ValidationException,
} from '@aws-sdk/client-accessanalyzer';
import { documentOf } from '../harness/iam-calls.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import {
  consumerAsPublished,
  mediaConnectSecretPolicy,
  mediaConnectTrustAsPublished,
  mediaConvertTrust,
  producerAsPublished,
} from '../harness/published-policies.ts';

describe('ValidatePolicy', () => {
  let platform: TestPlatform;
  let client: AccessAnalyzerClient;

  before(async () => {
    platform = await startTestPlatform();
    client = new AccessAnalyzerClient(platform.clientConfig());
  });
  after(async () => {
    client.destroy();
    await platform.stop();
  });

  async function validate(
    policyDocument: string,
    more: Partial<ValidatePolicyCommandInput> = {},
  ): Promise<ValidatePolicyFinding[]> {
    const input: ValidatePolicyCommandInput = { policyDocument, policyType: 'IDENTITY_POLICY', ...more };
    const { findings = [] } = await client.send(new ValidatePolicyCommand(input));
    return findings;
  }
  const codes = (findings: readonly ValidatePolicyFinding[]) => findings.map(({ issueCode = '' }) => issueCode);
  const allow = (Action: unknown, Resource: unknown, more: object = {}) =>
    documentOf({ Effect: 'Allow', Action, Resource, ...more });
  const trust = {
    policyType: 'RESOURCE_POLICY',
    validatePolicyResourceType: 'AWS::IAM::AssumeRolePolicyDocument',
  } as const;

  it('finds nothing in a policy that is right', async () => {
    assert.deepEqual(await validate(allow(['s3:GetObject', 's3:PutObject'], 'arn:aws:s3:::films/*')), []);
    assert.deepEqual(
      await validate(
        allow('kms:Decrypt', 'arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'),
      ),
      [],
    );
    assert.deepEqual(await validate(mediaConvertTrust, trust), []);
    assert.deepEqual(await validate(mediaConnectSecretPolicy), []);
    const key = 'arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
    assert.deepEqual(await validate(allow(['kms:Encrypt', 'kms:GenerateDataKey', 'kms:Decrypt'], key)), []);
    const passes = allow('iam:PassRole', 'arn:aws:iam::111122223333:role/media', {
      Condition: { StringEquals: { 'iam:PassedToService': 'mediaconvert.amazonaws.com' } },
    });
    assert.deepEqual(await validate(passes), []);
  });

  it('says where a comma is too many and which service was meant, in the published producer’s and consumer’s policies', async () => {
    for (const [text, action] of [
      [producerAsPublished, 'PutMedia'],
      [consumerAsPublished, 'GetMedia'],
    ] as const) {
      const findings = await validate(text);
      assert.deepEqual(codes(findings), ['JSON_SYNTAX_ERROR', 'INVALID_SERVICE_IN_ACTION', 'INVALID_SERVICE']);
      const [comma, service] = findings;
      const offset = text.indexOf(`:${action}",`) + action.length + 2;
      const before = text.slice(0, offset).split('\n');
      const start = { line: before.length, column: before.at(-1)?.length ?? 0, offset };
      assert.deepEqual(comma?.locations?.[0]?.span?.start, start);
      assert.match(comma?.findingDetails ?? '', new RegExp(`line ${start.line} column ${start.column}`));
      assert.match(service?.findingDetails ?? '', /kinesis-video .*does not exist\. Did you mean kinesisvideo\?/);
      const path = [{ value: 'Statement' }, { index: 1 }, { value: 'Action' }, { index: 0 }];
      assert.deepEqual(service?.locations?.[0]?.path, path);
    }
  });

  it('finds each comma that is too many in the published trust policy, and nothing else', async () => {
    const findings = await validate(mediaConnectTrustAsPublished, trust);
    assert.deepEqual(codes(findings), [
      'JSON_SYNTAX_ERROR',
      'JSON_SYNTAX_ERROR',
      'JSON_SYNTAX_ERROR',
      'JSON_SYNTAX_ERROR',
    ]);
    for (const { locations } of findings) {
      const { start, end } = locations?.[0]?.span ?? {};
      assert.equal(mediaConnectTrustAsPublished.slice(start?.offset, end?.offset), ',');
    }
  });

  it('names the nearest right action, service, key and operator', async () => {
    const detailsOf = async (text: string) =>
      (await validate(text)).map(({ findingDetails }) => findingDetails).join('\n');
    assert.match(
      await detailsOf(allow('s3:GetObjct', '*')),
      /s3:GetObjct does not exist\. Did you mean s3:GetObject\?/,
    );
    assert.match(await detailsOf(allow('secretmanager:GetSecretValue', '*')), /Did you mean secretsmanager\?/);
    const conditions = (Condition: object) => allow('s3:GetObject', 'arn:aws:s3:::a/*', { Condition });
    assert.match(
      await detailsOf(conditions({ StringEquals: { 'aws:PrincpalArn': 'a' } })),
      /Did you mean aws:PrincipalArn\?/,
    );
    assert.match(
      await detailsOf(conditions({ StringEqual: { 'aws:PrincipalArn': 'a' } })),
      /Did you mean StringEquals\?/,
    );
    assert.match(
      await detailsOf(conditions({ StringEquals: { 's3:ExistingObjectTags/a': 'a' } })),
      /Did you mean s3:ExistingObjectTag/,
    );
  });

  it('says which action never applies to the resources beside it', async () => {
    const bucket = await validate(allow(['s3:GetObject', 's3:ListBucket'], 'arn:aws:s3:::films'));
    assert.deepEqual(codes(bucket), ['ACTION_DOES_NOT_APPLY_TO_RESOURCE']);
    assert.match(bucket[0]?.findingDetails ?? '', /s3:GetObject does not apply.*\$\{ObjectName\}/);
    const objects = await validate(allow(['s3:GetObject', 's3:ListBucket'], 'arn:aws:s3:::films/*'));
    assert.match(objects[0]?.findingDetails ?? '', /s3:ListBucket does not apply/);
    const listing = await validate(allow('s3:ListAllMyBuckets', 'arn:aws:s3:::films'));
    assert.match(listing[0]?.findingDetails ?? '', /supports only the resource "\*"/);
  });

  it('says which key the actions do not supply, and which operator its values want', async () => {
    const supply = allow(['s3:GetObject', 's3:ListBucket'], ['arn:aws:s3:::a', 'arn:aws:s3:::a/*'], {
      Condition: { StringLike: { 's3:prefix': 'films/*' } },
    });
    const [finding, ...none] = await validate(supply);
    assert.equal(finding?.issueCode, 'UNSUPPORTED_ACTION_FOR_CONDITION_KEY');
    assert.match(
      finding?.findingDetails ?? '',
      /actions: s3:GetObject are not supported by the condition key s3:prefix/,
    );
    assert.deepEqual(none, []);
    const cases: readonly (readonly [object, string])[] = [
      [{ StringEquals: { 'aws:SourceIp': '203.0.113.0/24' } }, 'TYPE_MISMATCH'],
      [{ IpAddress: { 'aws:SourceIp': '203.0.113.300/24' } }, 'TYPE_MISMATCH_IP_RANGE'],
      [{ IpAddress: { 'aws:SourceIp': '203.0.113.7/24' } }, 'IMPROVE_IP_RANGE'],
      [{ NumericLessThan: { 'aws:MultiFactorAuthAge': 'an hour' } }, 'TYPE_MISMATCH_NUMBER'],
      [{ DateGreaterThan: { 'aws:CurrentTime': 'tomorrow' } }, 'TYPE_MISMATCH_DATE'],
      [{ Bool: { 'aws:SecureTransport': 'yes' } }, 'TYPE_MISMATCH_BOOLEAN'],
      [{ StringEquals: { 'aws:PrincipalArn': 'arn:aws:iam::111122223333:role/*' } }, 'WILDCARD_WITHOUT_LIKE_OPERATOR'],
      [{ StringEquals: { 'aws:TagKeys': 'a' } }, 'MISSING_QUALIFIER'],
      [{ 'ForAllValues:StringEquals': { 'aws:username': 'a' } }, 'FORALLVALUES_WITH_SINGLE_VALUED_KEY'],
      [{ StringEquals: { 'aws:ARN': 'a' } }, 'DEPRECATED_GLOBAL_CONDITION_KEY'],
      [{ StringEquals: { 'aws:ResourceTag': 'a' } }, 'MISSING_TAG_KEY_IN_CONDITION'],
      [{ NullIfExists: { 'aws:username': 'true' } }, 'NULL_WITH_IF_EXISTS'],
      [{ StringEquals: { username: 'a' } }, 'INVALID_CONDITION_KEY_FORMAT'],
      [{ StringEquals: { 'aws:username': [] } }, 'EMPTY_ARRAY_CONDITION'],
      [{ StringEquals: { 'aws:RequestedRegion': 'frankfurt' } }, 'INVALID_REGION'],
    ];
    for (const [Condition, code] of cases) {
      const found = codes(await validate(allow('s3:GetObject', 'arn:aws:s3:::a/*', { Condition })));
      assert.deepEqual(found, [code], JSON.stringify(Condition));
    }
  });

  it('warns of rights that lead to others, and of everybody', async () => {
    assert.deepEqual(codes(await validate(allow('iam:PassRole', '*'))), ['PASS_ROLE_WITH_STAR_IN_RESOURCE']);
    assert.deepEqual(codes(await validate(allow('*', '*'))), [
      'PASS_ROLE_WITH_STAR_IN_ACTION_AND_RESOURCE',
      'CREATE_SLR_WITH_STAR_IN_ACTION_AND_RESOURCE',
    ]);
    const notAction = documentOf({ Effect: 'Allow', NotAction: 's3:*', NotResource: 'arn:aws:s3:::a' });
    assert.deepEqual(codes(await validate(notAction)), [
      'PASS_ROLE_WITH_NOT_ACTION_AND_NOT_RESOURCE',
      'CREATE_SLR_WITH_NOT_ACTION_AND_NOT_RESOURCE',
    ]);
    const bucket = { policyType: 'RESOURCE_POLICY', validatePolicyResourceType: 'AWS::S3::Bucket' } as const;
    const read = { Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::a/*' };
    assert.deepEqual(codes(await validate(documentOf({ ...read, Principal: '*' }), bucket)), [
      'ALLOW_WITH_WILDCARD_PRINCIPAL',
    ]);
    const others = { NotPrincipal: { AWS: '111122223333' } };
    assert.deepEqual(codes(await validate(documentOf({ ...read, ...others }), bucket)), ['ALLOW_WITH_NOT_PRINCIPAL']);
    const service = { Principal: { Service: 'mediaconvert.amazonaws.com' } };
    assert.deepEqual(codes(await validate(documentOf({ ...read, ...service }), bucket)), [
      'RESTRICT_ACCESS_TO_SERVICE_PRINCIPAL',
    ]);
    const wrong = documentOf({
      ...read,
      Action: 'kms:Decrypt',
      Resource: 'arn:aws:sqs:us-east-1:111122223333:a',
      ...others,
      Effect: 'Deny',
    });
    assert.deepEqual(codes(await validate(wrong, bucket)).toSorted(), [
      'ACTION_DOES_NOT_APPLY_TO_RESOURCE',
      'UNSUPPORTED_ACTION_IN_POLICY',
      'UNSUPPORTED_RESOURCE_ARN_IN_POLICY',
    ]);
  });

  it('looks at resources as ARNs of their service', async () => {
    const cases: readonly (readonly [string, string, string])[] = [
      ['kms:Decrypt', 'key/1', 'INVALID_ARN_PREFIX'],
      ['kms:Decrypt', 'arn:aws:kms:us-east-1', 'MISSING_ARN_FIELD'],
      ['kms:Decrypt', 'arn:amazon:kms:us-east-1:111122223333:key/1', 'INVALID_PARTITION'],
      ['kms:Decrypt', 'arn:aws:KMS:us-east-1:111122223333:key/1', 'INVALID_ARN_SERVICE_CASE'],
      ['kms:Decrypt', 'arn:aws:kms:us-east-1:1234:key/1', 'INVALID_ARN_ACCOUNT'],
      ['kms:Decrypt', 'arn:aws:kms:virginia:111122223333:key/1', 'INVALID_ARN_REGION'],
      ['kms:Decrypt', 'arn:aws:kms::111122223333:key/1', 'MISSING_ARN_REGION'],
      ['s3:GetObject', 'arn:aws:s3::111122223333:films/a', 'ARN_ACCOUNT_NOT_ALLOWED'],
      ['iam:GetRole', 'arn:aws:iam:us-east-1:111122223333:role/a', 'ARN_REGION_NOT_ALLOWED'],
      ['kms:Decrypt', 'arn:aws:kms:us-east-1:111122223333:film/1', 'INVALID_ARN_RESOURCE'],
    ];
    for (const [action, resource, code] of cases) {
      const found = codes(await validate(allow(action, resource))).filter((item) => !item.startsWith('ACTION_DOES'));
      assert.deepEqual(found, [code], resource);
    }
  });

  it('reports what is written wrongly, each at its place', async () => {
    const cases: readonly (readonly [string, readonly string[], Partial<ValidatePolicyCommandInput>?])[] = [
      ['{', ['JSON_SYNTAX_ERROR']],
      ['[]', ['DATA_TYPE_MISMATCH']],
      ['{"Version":"2012-10-17"}', ['MISSING_STATEMENT']],
      ['{"Version":"2011-10-17","Statement":[]}', ['INVALID_VERSION', 'MISSING_STATEMENT']],
      ['{"Statement":{"Effect":"Allow","Action":"s3:ListAllMyBuckets","Resource":"*"}}', ['MISSING_VERSION']],
      [documentOf({ Action: 's3:*', Resource: '*' }), ['MISSING_EFFECT']],
      [documentOf({ Effect: 'allow', Action: 's3:*', Resource: '*' }), ['INVALID_EFFECT']],
      [documentOf({ Effect: 'Allow', Resource: '*' }), ['MISSING_ACTION']],
      [documentOf({ Effect: 'Allow', Action: 's3:*' }), ['MISSING_RESOURCE']],
      [allow([], []), ['EMPTY_ARRAY_ACTION', 'EMPTY_ARRAY_RESOURCE']],
      [allow('s3:*', '*', { Sid: 'a b' }), ['UNSUPPORTED_SID']],
      [allow('s3:*', '*', { Sid: '' }), ['EMPTY_SID_VALUE']],
      [allow('s3:*', '*', { Sids: 'a' }), ['INVALID_POLICY_ELEMENT']],
      [allow('s3:*', '*', { NotAction: 's3:*' }), ['UNSUPPORTED_ELEMENT_COMBINATION']],
      [allow('s3:*', '*', { Principal: '*' }), ['UNSUPPORTED_PRINCIPAL']],
      [allow('s*:*', '*'), ['WILDCARD_IN_SERVICE_NAME']],
      [allow(['s3:Get*', 's3:GetObject'], '*'), ['REDUNDANT_ACTION']],
      [allow('s3:GetObject', ['arn:aws:s3:::a/*', 'arn:aws:s3:::a/b']), ['REDUNDANT_RESOURCE']],
      [documentOf([allowing('A'), allowing('A')]), ['UNIQUE_SIDS_REQUIRED', 'REDUNDANT_STATEMENT']],
      [allow('s3:GetObject', 'arn:aws:s3:::a/${aws:username'), ['MISSING_BRACE_IN_VARIABLE']],
      [allow('s3:GetObject', 'arn:aws:s3:::a/${}'), ['EMPTY_VARIABLE']],
      [allow('s3:GetObject', 'arn:aws:s3:::a/${aws:username, x}'), ['MISSING_QUOTE_IN_VARIABLE']],
      [allow('s3:${a}', '*'), ['INVALID_ACTION', 'VARIABLE_UNSUPPORTED_IN_ELEMENT']],
      [
        allow('s3:*', '*', { Principal: '*' }),
        ['SCP_SYNTAX_ERROR_PRINCIPAL'],
        { policyType: 'SERVICE_CONTROL_POLICY' },
      ],
      [
        documentOf({ Effect: 'Allow', Principal: { aws: '1' }, Action: 's3:*', Resource: '*' }),
        ['INVALID_PRINCIPAL_KEY'],
        { policyType: 'RESOURCE_POLICY' },
      ],
      [
        documentOf({
          Effect: 'Allow',
          Principal: { AWS: 'arn:aws:iam::111122223333:role/*' },
          Action: 's3:*',
          Resource: '*',
        }),
        ['UNSUPPORTED_WILDCARD_IN_PRINCIPAL'],
        { policyType: 'RESOURCE_POLICY' },
      ],
      [
        documentOf({ Effect: 'Allow', Principal: { Service: 'mediaconvert' }, Action: 'sts:AssumeRole' }),
        ['INVALID_SERVICE_PRINCIPAL_FORMAT'],
        trust,
      ],
      [
        documentOf({ Effect: 'Allow', Principal: '*', Action: 'sts:AssumeRole', Resource: '*' }),
        [
          'ROLE_TRUST_POLICY_SYNTAX_ERROR_RESOURCE',
          'ROLE_TRUST_POLICY_UNSUPPORTED_WILDCARD_IN_PRINCIPAL',
          'ALLOW_WITH_WILDCARD_PRINCIPAL',
        ],
        trust,
      ],
    ];
    for (const [text, expected, more] of cases) {
      assert.deepEqual(codes(await validate(text, more)).toSorted(), expected.toSorted(), text);
    }
    const findings = await validate(allow('s3:GetObjct', '*'));
    const { span } = findings[0]?.locations?.[0] ?? {};
    assert.equal(allow('s3:GetObjct', '*').slice(span?.start?.offset, span?.end?.offset), '"s3:GetObjct"');
    assert.match(findings[0]?.learnMoreLink ?? '', /policy-checks\.html#.*-error-invalid-action$/);
  });

  const allowing = (Sid: string) => ({ Sid, Effect: 'Allow', Action: 's3:*', Resource: '*' });

  it('gives findings page by page', async () => {
    const policyDocument = allow(['s3:A', 's3:B', 's3:C'], '*');
    const input: ValidatePolicyCommandInput = { policyDocument, policyType: 'IDENTITY_POLICY', maxResults: 2 };
    const first = await client.send(new ValidatePolicyCommand(input));
    const second = await client.send(new ValidatePolicyCommand({ ...input, nextToken: first.nextToken }));
    assert.deepEqual([first.findings?.length, second.findings?.length, second.nextToken], [2, 1, undefined]);
    const other = new ValidatePolicyCommand({ ...input, policyDocument: '{}', nextToken: first.nextToken });
    await assert.rejects(client.send(other), ValidationException);
  });

  it('refuses other languages and resource types of other policies by name', async () => {
    const input: ValidatePolicyCommandInput = { policyDocument: '{}', policyType: 'IDENTITY_POLICY' };
    await assert.rejects(
      client.send(new ValidatePolicyCommand({ ...input, locale: 'DE' })),
      /locale DE is not implemented/,
    );
    const mixed = new ValidatePolicyCommand({ ...input, validatePolicyResourceType: 'AWS::S3::Bucket' });
    await assert.rejects(client.send(mixed), /RESOURCE_POLICY only/);
  });

  it('comes to an end with documents that are made to keep it busy', async () => {
    const started = performance.now();
    const many = Array.from({ length: 3000 }, (_, index) => `s3:*${'*a'.repeat(10)}${index}`);
    assert.ok((await validate(allow(many, '*'))).length > 0);
    assert.ok(
      (
        await validate(
          allow(
            's3:GetObject',
            many.map((text) => `arn:aws:s3:::${text}`),
          ),
        )
      ).length >= 0,
    );
    assert.deepEqual(codes(await validate('['.repeat(100_000))), ['JSON_SYNTAX_ERROR']);
    assert.ok(
      (
        await validate(
          allow('constructor:x', '*', { Condition: { StringEquals: { '__proto__:a': 'a', 'constructor:b': 'c' } } }),
        )
      ).length > 0,
    );
    await assert.rejects(validate(' '.repeat(200_000)), /maximum is 131072/);
    assert.ok(performance.now() - started < 3000, `${performance.now() - started} ms`);
  });

  it('answers the AWS CLI', async () => {
    const { endpoint, region, credentials } = platform.clientConfig();
    const args = [
      'accessanalyzer',
      'validate-policy',
      '--policy-type',
      'IDENTITY_POLICY',
      '--policy-document',
      producerAsPublished,
    ];
    const { stdout } = await promisify(execFile)(
      'aws',
      [...args, '--endpoint-url', endpoint, '--region', region, '--output', 'json'],
      {
        env: {
          ...process.env,
          AWS_ACCESS_KEY_ID: credentials.accessKeyId,
          AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
        },
      },
    );
    const { findings } = JSON.parse(stdout) as { readonly findings: readonly ValidatePolicyFinding[] };
    assert.deepEqual(codes(findings), ['JSON_SYNTAX_ERROR', 'INVALID_SERVICE_IN_ACTION', 'INVALID_SERVICE']);
  });
});
