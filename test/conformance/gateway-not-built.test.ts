import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { NormalizedSchema } from '@smithy/core/schema';
import type { StaticOperationSchema } from '@smithy/types';
import type { AnyService } from '#gateway/operations-table.ts';
import { httpTraitOf } from '#protocol/rest-routes.ts';
import { manifests, unbuiltNamesOf } from '../harness/manifests.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { errorCodeOf, errorMessageOf, sendRaw } from '../harness/raw-connection.ts';
import { type SigningCredentials, signHeader, type UnsignedRequest } from '../harness/sigv4-signer.ts';

/** Reached by other addresses in AWS, which this installation does not have. */
const UNREACHABLE = new Set(['s3:ListDirectoryBuckets']);

describe('operations that are not built', () => {
  let platform: TestPlatform;
  let credentials: SigningCredentials;

  before(async () => {
    platform = await startTestPlatform();
    credentials = platform.clientConfig().credentials;
  });
  after(() => platform.stop());

  for (const service of manifests) {
    const names = new Set(unbuiltNamesOf(service));
    it(`answers 501 and their names: ${names.size} of ${service.name}`, async () => {
      for (const schema of service.schemas.filter((candidate) => names.has(candidate[2]))) {
        const name = schema[2];
        if (UNREACHABLE.has(`${service.name}:${name}`)) continue;
        const request = signHeader(requestFor(service, schema), {
          credentials,
          service: service.signingNames[0] ?? '',
          host: new URL(platform.endpoint).host,
        });
        const response = await sendRaw(platform.endpoint, request);
        assert.equal(response.status, 501, `${name}: ${response.status} ${response.text}`);
        if (request.method === 'HEAD') continue;
        assert.equal(errorCodeOf(response), 'NotImplemented', response.text);
        assert.equal(errorMessageOf(response), `Coffer does not implement the operation ${name} of ${service.name}.`);
        assert.match(response.headers.get('content-type') ?? '', CONTENT_TYPES[service.protocol]);
      }
    });
  }

  it('are known for every service of the platform', () => {
    const total = manifests.reduce((sum, service) => sum + service.schemas.length, 0);
    assert.ok(total > 550, String(total));
    assert.equal(new Set(manifests.map(({ name }) => name)).size, manifests.length);
  });
});

const CONTENT_TYPES = {
  awsJson1_0: /^application\/x-amz-json-1\.0$/,
  awsJson1_1: /^application\/x-amz-json-1\.1$/,
  awsQuery: /^text\/xml/,
  restJson1: /^application\/json$/,
  restXml: /^application\/xml$/,
} as const;

/** A request that names an operation, and says nothing to it. */
function requestFor(service: AnyService, schema: StaticOperationSchema): UnsignedRequest {
  const name = schema[2];
  switch (service.protocol) {
    case 'awsJson1_0':
    case 'awsJson1_1':
      return {
        method: 'POST',
        path: '/',
        headers: [['X-Amz-Target', `${service.targetPrefix ?? ''}.${name}`]],
        body: Buffer.from('{}'),
      };
    case 'awsQuery':
      return {
        method: 'POST',
        path: '/',
        headers: [['Content-Type', 'application/x-www-form-urlencoded']],
        body: Buffer.from(`Action=${name}&Version=${service.apiVersion ?? ''}`),
      };
    default:
      return restRequestFor(schema);
  }
}

function restRequestFor(schema: StaticOperationSchema): UnsignedRequest {
  const { method, segments, queryLiterals } = httpTraitOf(schema);
  let path = `/${segments.map(({ kind, text }) => (kind === 'literal' ? text : 'value')).join('/')}`;
  const query: [string, string][] = [...queryLiterals].map(([name, value]) => [name, value ?? '']);
  const headers: [string, string][] = [];
  const input = NormalizedSchema.of(schema[4]);
  const structure: unknown = input.getSchema();
  const requiredCount = Array.isArray(structure) ? Number(structure[6] ?? 0) : 0;
  let index = 0;
  for (const [name, member] of input.isStructSchema() ? input.structIterator() : []) {
    const { httpQuery, httpHeader, httpLabel } = member.getMergedTraits();
    // S3's schemas leave the bucket to the host; here it stands in the path.
    const isInPath = segments.some(({ kind, text }) => kind !== 'literal' && text === name);
    if (httpLabel && !isInPath) path = path === '/' ? '/value' : `/value${path}`;
    if (index < requiredCount && httpQuery !== undefined) query.push([httpQuery, 'value']);
    if (index < requiredCount && httpHeader !== undefined) headers.push([httpHeader, 'value']);
    index += 1;
  }
  return { method, path, query, headers };
}
