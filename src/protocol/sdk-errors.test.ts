import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as iam from '@aws-sdk/client-iam';
import * as kinesisVideo from '@aws-sdk/client-kinesis-video';
import * as kms from '@aws-sdk/client-kms';
import * as mediaconvert from '@aws-sdk/client-mediaconvert';
import * as s3 from '@aws-sdk/client-s3';
import { ServiceError } from '#kernel/service-error.ts';
import { SdkLoopback, wireServiceOf } from './testing/sdk-loopback.ts';

const settings = {
  endpoint: 'http://127.0.0.1:1',
  region: 'us-east-1',
  credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'not-a-secret' },
  maxAttempts: 1,
};

function failing(loopback: SdkLoopback, error: ServiceError): SdkLoopback {
  loopback.handler = () => {
    throw error;
  };
  return loopback;
}

describe('errors as the AWS SDK reads them', () => {
  it('gives KMS errors their type, message and status', async () => {
    const loopback = failing(
      new SdkLoopback(wireServiceOf('kms', 'awsJson1_1', kms, { targetPrefix: 'TrentService' })),
      new ServiceError('NotFoundException', 400, "Key 'k' does not exist"),
    );
    const client = new kms.KMSClient({ ...settings, requestHandler: loopback });
    await assert.rejects(client.send(new kms.DescribeKeyCommand({ KeyId: 'k' })), (error) => {
      assert(error instanceof kms.NotFoundException);
      assert.equal(error.message, "Key 'k' does not exist");
      assert.equal(error.$metadata.httpStatusCode, 400);
      return true;
    });
    assert.deepEqual(JSON.parse(loopback.lastResponse?.body ?? ''), {
      __type: 'NotFoundException',
      message: "Key 'k' does not exist",
    });
  });

  it('gives IAM errors by the code of the query protocol', async () => {
    const loopback = failing(
      new SdkLoopback(
        wireServiceOf('iam', 'awsQuery', iam, { xmlNamespace: 'https://iam.amazonaws.com/doc/2010-05-08/' }),
      ),
      new ServiceError('NoSuchEntity', 404, 'The user with name <a&b> cannot be found.'),
    );
    const client = new iam.IAMClient({ ...settings, requestHandler: loopback });
    await assert.rejects(client.send(new iam.GetUserCommand({ UserName: 'a' })), (error) => {
      assert(error instanceof iam.NoSuchEntityException);
      assert.equal(error.message, 'The user with name <a&b> cannot be found.');
      assert.equal(error.$metadata.httpStatusCode, 404);
      return true;
    });
    assert.match(loopback.lastResponse?.body ?? '', /<Type>Sender<\/Type><Code>NoSuchEntity<\/Code>/);
  });

  it('gives MediaConvert and Kinesis Video errors by header, with the message as each spells it', async () => {
    const convert = failing(
      new SdkLoopback(wireServiceOf('mediaconvert', 'restJson1', mediaconvert)),
      new ServiceError('BadRequestException', 400, '/settings: is a required property'),
    );
    await assert.rejects(
      new mediaconvert.MediaConvertClient({ ...settings, requestHandler: convert }).send(
        new mediaconvert.ListJobsCommand({}),
      ),
      (error) => {
        assert(error instanceof mediaconvert.BadRequestException);
        assert.equal(error.message, '/settings: is a required property');
        return true;
      },
    );
    assert.equal(convert.lastResponse?.headers['x-amzn-errortype'], 'BadRequestException');
    assert.equal(convert.lastResponse?.body, '{"message":"/settings: is a required property"}');

    const video = failing(
      new SdkLoopback(wireServiceOf('kinesis-video', 'restJson1', kinesisVideo)),
      new ServiceError('ResourceNotFoundException', 404, 'The requested stream is not found.'),
    );
    await assert.rejects(
      new kinesisVideo.KinesisVideoClient({ ...settings, requestHandler: video }).send(
        new kinesisVideo.DescribeStreamCommand({ StreamName: 's' }),
      ),
      (error) => {
        assert(error instanceof kinesisVideo.ResourceNotFoundException);
        assert.equal(error.message, 'The requested stream is not found.');
        return true;
      },
    );
    assert.equal(video.lastResponse?.body, '{"Message":"The requested stream is not found."}');
  });

  it('gives S3 errors with their members, the resource and the request id', async () => {
    const loopback = failing(
      new SdkLoopback(wireServiceOf('s3', 'restXml', s3)),
      new ServiceError('NoSuchKey', 404, 'The specified key does not exist.', { members: { Key: 'a\u0001&<b' } }),
    );
    const client = new s3.S3Client({ ...settings, requestHandler: loopback, forcePathStyle: true });
    await assert.rejects(client.send(new s3.GetObjectCommand({ Bucket: 'bucket', Key: 'k' })), (error) => {
      assert(error instanceof s3.NoSuchKey);
      assert.equal(error.message, 'The specified key does not exist.');
      assert.equal(error.$metadata.httpStatusCode, 404);
      return true;
    });
    const xml = loopback.lastResponse?.body ?? '';
    assert.match(xml, /<Key>a&#x1;&amp;&lt;b<\/Key><Resource>\/bucket\/k<\/Resource><RequestId>request-1<\/RequestId>/);
  });

  it('answers HEAD with the status alone', async () => {
    const loopback = failing(
      new SdkLoopback(wireServiceOf('s3', 'restXml', s3)),
      new ServiceError('NoSuchKey', 404, 'The specified key does not exist.'),
    );
    const client = new s3.S3Client({ ...settings, requestHandler: loopback, forcePathStyle: true });
    await assert.rejects(client.send(new s3.HeadObjectCommand({ Bucket: 'bucket', Key: 'k' })), s3.NotFound);
    assert.equal(loopback.lastResponse?.body, '');
  });

  it('leaves a 304 without body and content type', async () => {
    const loopback = failing(
      new SdkLoopback(wireServiceOf('s3', 'restXml', s3)),
      new ServiceError('NotModified', 304, ''),
    );
    const answer = loopback.answer('GET', '/bucket/k', '', {}, Buffer.alloc(0));
    assert.equal(answer.status, 304);
    assert.equal(answer.body, undefined);
    assert.deepEqual(answer.headers, {});
  });
});

describe('answers of S3 that are not what its model says', () => {
  const loopback = new SdkLoopback(
    wireServiceOf('s3', 'restXml', s3, { xmlNamespace: 'http://s3.amazonaws.com/doc/2006-03-01/' }),
  );
  const client = new s3.S3Client({ ...settings, requestHandler: loopback, forcePathStyle: true });

  it('writes the location constraint as the root element, empty for us-east-1', async () => {
    loopback.handler = () => ({ LocationConstraint: 'eu-west-1' });
    const { LocationConstraint } = await client.send(new s3.GetBucketLocationCommand({ Bucket: 'bucket' }));
    assert.equal(LocationConstraint, 'eu-west-1');
    loopback.handler = () => ({});
    await client.send(new s3.GetBucketLocationCommand({ Bucket: 'bucket' }));
    assert.match(loopback.lastResponse?.body ?? '', /<LocationConstraint xmlns="[^"]+"><\/LocationConstraint>$/);
  });

  it('sends the stored Expires as it is, even when it is no date', async () => {
    loopback.handler = () => ({ ExpiresString: 'tomorrow' });
    const { ExpiresString } = await client.send(new s3.GetObjectCommand({ Bucket: 'bucket', Key: 'k' }));
    assert.equal(ExpiresString, 'tomorrow');
    assert.equal(loopback.lastResponse?.headers.expires, 'tomorrow');
  });

  it('encodes metadata that is not ASCII and reads it back, encoded or as bytes', async () => {
    const seen: unknown[] = [];
    loopback.handler = ({ input }) => {
      seen.push(input);
      return { Metadata: { note: 'naïve 日本' } };
    };
    await client.send(new s3.HeadObjectCommand({ Bucket: 'bucket', Key: 'k' }));
    const encoded = loopback.lastResponse?.headers['x-amz-meta-note'] ?? '';
    assert.equal(encoded, '=?UTF-8?B?bmHDr3ZlIOaXpeacrA==?=');
    for (const value of [
      encoded,
      Buffer.from('naïve 日本').toString('latin1'),
      '=?UTF-8?Q?na=C3=AFve_=E6=97=A5=E6=9C=AC?=',
    ]) {
      loopback.answer('PUT', '/bucket/k', '', { 'x-amz-meta-note': value }, Buffer.alloc(0));
      assert.deepEqual(seen.at(-1), { Bucket: 'bucket', Key: 'k', Metadata: { note: 'naïve 日本' } });
    }
  });

  it('lets no header value begin another header', () => {
    loopback.handler = () => ({
      ContentDisposition: 'a\r\nSet-Cookie: b',
      Metadata: { note: 'a\r\nb', 'bad name\r\n': 'x' },
    });
    const { headers } = loopback.answer('GET', '/bucket/k', '', {}, Buffer.alloc(0));
    for (const [name, value] of Object.entries(headers)) {
      assert.match(name, /^[a-z0-9-]+$/);
      assert.doesNotMatch(value, /[\r\n]/);
    }
    assert.equal(headers['content-disposition'], 'a  Set-Cookie: b');
  });
});
