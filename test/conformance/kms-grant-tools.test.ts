import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

const run = promisify(execFile);
const hasCli = spawnSync('aws', ['--version']).status === 0;

describe('grants, by the AWS CLI', () => {
  let platform: TestPlatform;

  before(async () => {
    platform = await startTestPlatform();
  });
  after(() => platform.stop());

  async function aws(...parameters: string[]) {
    const { credentials, region, endpoint } = platform.clientConfig();
    const { stdout } = await run('aws', ['kms', ...parameters, '--output', 'json'], {
      env: {
        PATH: process.env['PATH'],
        AWS_ENDPOINT_URL: endpoint,
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
        AWS_DEFAULT_REGION: region,
        AWS_CONFIG_FILE: '/dev/null',
      },
    });
    return (stdout === '' ? {} : JSON.parse(stdout)) as {
      readonly KeyMetadata: { readonly Arn: string };
      readonly GrantId: string;
      readonly GrantToken: string;
      readonly Grants: readonly { readonly GrantId: string; readonly Constraints: unknown }[];
    };
  }

  it('are made, listed, used by their token, retired and revoked', {
    skip: hasCli ? false : 'the AWS CLI is not installed',
  }, async () => {
    const { Arn } = (await aws('create-key')).KeyMetadata;
    const root = `arn:aws:iam::${platform.accountId}:root`;
    const create = ['create-grant', '--key-id', Arn, '--grantee-principal', root, '--retiring-principal', root];
    const constraints = ['--constraints', 'EncryptionContextSubset={Department=IT}'];
    // All at once where that is possible: the CLI takes a second to start.
    const [first, second] = await Promise.all([
      aws(...create, '--operations', 'Decrypt', 'DescribeKey', ...constraints),
      aws(...create, '--operations', 'Encrypt', '--name', 'second'),
    ]);
    const [{ Grants }, retirable] = await Promise.all([
      aws('list-grants', '--key-id', Arn),
      aws('list-retirable-grants', '--retiring-principal', root),
      aws('describe-key', '--key-id', Arn, '--grant-tokens', first.GrantToken, second.GrantToken),
    ]);
    assert.deepEqual(Grants.map(({ GrantId }) => GrantId).join(), [first.GrantId, second.GrantId].toSorted().join());
    const constrained = Grants.find(({ GrantId }) => GrantId === first.GrantId);
    assert.deepEqual(constrained?.Constraints, { EncryptionContextSubset: { Department: 'IT' } });
    assert.equal(retirable.Grants.length, 2);
    await Promise.all([
      aws('retire-grant', '--grant-token', first.GrantToken),
      aws('revoke-grant', '--key-id', Arn, '--grant-id', second.GrantId),
    ]);
    await assert.rejects(
      aws('describe-key', '--key-id', Arn, '--grant-tokens', first.GrantToken),
      /InvalidGrantTokenException/,
    );
  });
});
