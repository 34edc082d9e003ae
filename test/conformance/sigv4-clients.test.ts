import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

interface Outcome {
  readonly code: number | null;
  readonly output: string;
}

function run(command: string, args: readonly string[], environment: NodeJS.ProcessEnv, input = ''): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { env: environment });
    const parts: Buffer[] = [];
    child.stdout.on('data', (data: Buffer) => parts.push(data));
    child.stderr.on('data', (data: Buffer) => parts.push(data));
    child.on('error', () => resolve({ code: 127, output: '' }));
    child.on('close', (code) => resolve({ code, output: Buffer.concat(parts).toString() }));
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

const hasCli = (await run('aws', ['--version'], process.env)).code === 0;
const hasBoto3 = (await run('python3', ['-c', 'import boto3'], process.env)).code === 0;

const BOTO3 = `
import boto3, io, os, urllib.request
from botocore.config import Config
from botocore.exceptions import ClientError

key = boto3.client('kms').create_key(Description='boto3')['KeyMetadata']['KeyId']
s3 = boto3.client('s3')
s3.create_bucket(Bucket='boto3-bucket')
body = os.urandom(9 * 1024 * 1024)
odd = "a//b/../c d+%2F ü 日本 ~!*'();:@&=$,?#[]"
s3.put_object(Bucket='boto3-bucket', Key=odd, Body=body, ServerSideEncryption='aws:kms', SSEKMSKeyId=key,
              Metadata={'note': 'two  spaces'}, ChecksumAlgorithm='SHA256')
got = s3.get_object(Bucket='boto3-bucket', Key=odd)
assert got['Body'].read() == body
assert got['Metadata']['note'] == 'two  spaces', got['Metadata']
s3.upload_fileobj(io.BytesIO(body), 'boto3-bucket', 'multipart')
assert s3.head_object(Bucket='boto3-bucket', Key='multipart')['ContentLength'] == len(body)

url = s3.generate_presigned_url('get_object', Params={'Bucket': 'boto3-bucket', 'Key': odd}, ExpiresIn=60)
assert urllib.request.urlopen(url).read() == body, 'as boto3 signs when nothing is configured'
v4 = boto3.client('s3', config=Config(signature_version='s3v4'))
url = v4.generate_presigned_url('get_object', Params={'Bucket': 'boto3-bucket', 'Key': odd}, ExpiresIn=60)
assert urllib.request.urlopen(url).read() == body
put = v4.generate_presigned_url('put_object', Params={'Bucket': 'boto3-bucket', 'Key': 'by-url'}, ExpiresIn=60)
urllib.request.urlopen(urllib.request.Request(put, data=b'by url', method='PUT'))
assert s3.get_object(Bucket='boto3-bucket', Key='by-url')['Body'].read() == b'by url'

unsigned = boto3.client('s3', config=Config(s3={'payload_signing_enabled': False}))
unsigned.put_object(Bucket='boto3-bucket', Key='unsigned', Body=b'unsigned')
signed = boto3.client('s3', config=Config(s3={'payload_signing_enabled': True}))
signed.put_object(Bucket='boto3-bucket', Key='signed', Body=b'signed')

session = boto3.client('sts').get_session_token()['Credentials']
temporary = dict(aws_access_key_id=session['AccessKeyId'], aws_secret_access_key=session['SecretAccessKey'],
                 aws_session_token=session['SessionToken'])
assert boto3.client('s3', **temporary).get_object(Bucket='boto3-bucket', Key='by-url')['Body'].read() == b'by url'
for region in ['eu-central-1', 'ap-southeast-4', 'us-gov-west-1']:
    boto3.client('kms', region_name=region).list_keys()
    boto3.client('iam', region_name=region).list_users()
    boto3.client('mediaconvert', region_name=region).list_jobs()

def code_of(call):
    try:
        call()
    except ClientError as error:
        return error.response['Error']['Code']
    return 'accepted'

wrong = dict(aws_access_key_id=os.environ['AWS_ACCESS_KEY_ID'], aws_secret_access_key='wrong')
unknown = dict(aws_access_key_id='AKIAUNKNOWN000000000', aws_secret_access_key='wrong')
assert code_of(boto3.client('s3', **wrong).list_buckets) == 'SignatureDoesNotMatch'
assert code_of(boto3.client('kms', **wrong).list_keys) == 'InvalidSignatureException'
assert code_of(boto3.client('iam', **wrong).list_users) == 'SignatureDoesNotMatch'
assert code_of(boto3.client('mediaconvert', **wrong).list_jobs) == 'InvalidSignatureException'
assert code_of(boto3.client('s3', **unknown).list_buckets) == 'InvalidAccessKeyId'
assert code_of(boto3.client('kms', **unknown).list_keys) == 'UnrecognizedClientException'
assert code_of(boto3.client('sts', **unknown).get_caller_identity) == 'InvalidClientTokenId'
print('all well')
`;

describe('the signers of other clients', () => {
  let platform: TestPlatform;
  let environment: NodeJS.ProcessEnv;

  before(async () => {
    platform = await startTestPlatform();
    const { credentials } = platform.clientConfig();
    environment = {
      PATH: process.env['PATH'],
      HOME: platform.dataFolder,
      AWS_ENDPOINT_URL: platform.endpoint,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_MAX_ATTEMPTS: '1',
      ...(process.env['PYENV_ROOT'] === undefined ? {} : { PYENV_ROOT: process.env['PYENV_ROOT'] }),
    };
  });
  after(() => platform.stop());

  it('accepts the AWS CLI with its default settings', {
    skip: hasCli ? false : 'the AWS CLI is not installed',
  }, async () => {
    const aws = async (...args: string[]) => {
      const { code, output } = await run('aws', [...args, '--output', 'text'], environment);
      assert.equal(code, 0, `aws ${args.join(' ')}: ${output}`);
      return output;
    };
    assert.match(await aws('sts', 'get-caller-identity'), /:root/);
    const key = (await aws('kms', 'create-key', '--query', 'KeyMetadata.KeyId')).trim();
    await aws('kms', 'create-alias', '--alias-name', 'alias/cli', '--target-key-id', key);
    await aws('s3', 'mb', 's3://cli-bucket');
    const copy = await run('aws', ['s3', 'cp', '-', 's3://cli-bucket/a folder/ü+1'], environment, 'from the CLI');
    assert.equal(copy.code, 0, copy.output);
    assert.equal(await aws('s3', 'cp', 's3://cli-bucket/a folder/ü+1', '-'), 'from the CLI');
    const url = (await aws('s3', 'presign', 's3://cli-bucket/a folder/ü+1')).trim();
    assert.equal(await (await fetch(url)).text(), 'from the CLI');
    await aws('iam', 'create-user', '--user-name', 'cli');
    await aws('mediaconvert', 'list-jobs');
    await aws('cloudtrail', 'lookup-events', '--max-items', '1');
  });

  it('accepts boto3 in all its ways of signing', { skip: hasBoto3 ? false : 'boto3 is not installed' }, async () => {
    const { code, output } = await run('python3', ['-c', BOTO3], environment);
    assert.equal(code, 0, output);
  });
});
