import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as cloudtrail from '@aws-sdk/client-cloudtrail';
import * as iam from '@aws-sdk/client-iam';
import * as kinesisVideo from '@aws-sdk/client-kinesis-video';
import * as kinesisVideoArchivedMedia from '@aws-sdk/client-kinesis-video-archived-media';
import * as kinesisVideoMedia from '@aws-sdk/client-kinesis-video-media';
import * as kms from '@aws-sdk/client-kms';
import * as mediaconvert from '@aws-sdk/client-mediaconvert';
import * as s3 from '@aws-sdk/client-s3';
import * as sts from '@aws-sdk/client-sts';
import fc from 'fast-check';
import { compileService } from './compile-service.ts';
import { parseQuery } from './query-parameters.ts';
import { createRouter, type RoutedRequest } from './router.ts';
import { anyText } from './testing/schema-arbitrary.ts';
import { wireServiceOf } from './testing/sdk-loopback.ts';

const video = { signingNames: ['kinesisvideo'] };
const router = createRouter(
  [
    wireServiceOf('kms', 'awsJson1_1', kms, { targetPrefix: 'TrentService' }),
    wireServiceOf('cloudtrail', 'awsJson1_1', cloudtrail, { targetPrefix: 'CloudTrail_20131101' }),
    wireServiceOf('iam', 'awsQuery', iam, { apiVersion: '2010-05-08' }),
    wireServiceOf('sts', 'awsQuery', sts, { apiVersion: '2011-06-15' }),
    wireServiceOf('mediaconvert', 'restJson1', mediaconvert),
    wireServiceOf('kinesis-video', 'restJson1', kinesisVideo, video),
    wireServiceOf('kinesis-video-media', 'restJson1', kinesisVideoMedia, video),
    wireServiceOf('kinesis-video-archived-media', 'restJson1', kinesisVideoArchivedMedia, video),
    wireServiceOf('s3', 'restXml', s3),
  ].map(compileService),
);

interface Wanted extends Partial<Omit<RoutedRequest, 'header' | 'query'>> {
  readonly headers?: Readonly<Record<string, string>>;
}

/** `METHOD /path?query` → `service.Operation` or the error's code. */
function route(line: string, { headers = {}, ...rest }: Wanted = {}): string {
  const match = router.match(requestOf(line, headers, rest));
  return 'error' in match
    ? `${match.service.service.name} ${match.error.status} ${match.error.code}`
    : `${match.service.service.name}.${match.operation.name}`;
}

function requestOf(
  line: string,
  headers: Readonly<Record<string, string>>,
  rest: Partial<RoutedRequest>,
): RoutedRequest {
  const space = line.indexOf(' ');
  const [path = '', query = ''] = line.slice(space + 1).split('?');
  return { method: line.slice(0, space), path, query, header: (name) => headers[name], ...rest };
}

function labelsOf(line: string, rest: Partial<RoutedRequest> = {}): unknown {
  const match = router.match(requestOf(line, {}, rest));
  return 'error' in match ? match.error.code : match.labels;
}

const copy = { headers: { 'x-amz-copy-source': '/a/b' } };

describe('routing to a service', () => {
  it('follows the signature before all else', () => {
    const target = { 'x-amz-target': 'TrentService.Encrypt' };
    assert.equal(route('POST /', { signingName: 'kms', headers: target }), 'kms.Encrypt');
    assert.equal(
      route('POST /', { signingName: 'cloudtrail', headers: target }),
      'cloudtrail 400 UnknownOperationException',
    );
    assert.equal(route('GET /2017-08-29/jobs', { signingName: 's3' }), 's3.GetObject');
    assert.equal(route('GET /2017-08-29/jobs', { signingName: 'mediaconvert' }), 'mediaconvert.ListJobs');
    assert.equal(route('GET /', { signingName: 'ec2' }), 's3 404 UnknownService');
  });

  it('goes by the target, the action or the path where there is no signature', () => {
    assert.equal(route('POST /', { headers: { 'x-amz-target': 'TrentService.Encrypt' } }), 'kms.Encrypt');
    assert.equal(route('GET /?Action=GetCallerIdentity&Version=2011-06-15'), 'sts.GetCallerIdentity');
    const form = parseQuery('Action=AssumeRoleWithWebIdentity&Version=2011-06-15');
    assert.equal(route('POST /', { form }), 'sts.AssumeRoleWithWebIdentity');
    assert.equal(route('GET /bucket/key'), 's3.GetObject');
    assert.equal(route('POST /', { headers: { 'x-amz-target': 'Other.Encrypt' } }), 's3 405 MethodNotAllowed');
  });

  it('asks for the form where the action must stand in it', () => {
    assert.equal(route('POST /', { signingName: 'iam' }), 'iam 400 MissingAction');
    const match = router.match(requestOf('POST /', {}, { signingName: 'iam' }));
    assert('error' in match && match.kind === 'form-needed');
    assert.equal(route('POST /', { signingName: 'iam', form: parseQuery('Action=GetUser') }), 'iam.GetUser');
    assert.equal(route('POST /', { signingName: 'iam', form: parseQuery('Action=Nothing') }), 'iam 400 InvalidAction');
    assert.equal(route('POST /', { signingName: 'iam', form: parseQuery('') }), 'iam 400 MissingAction');
    assert.equal(
      route('POST /', { signingName: 'iam', form: parseQuery('Action=__proto__') }),
      'iam 400 InvalidAction',
    );
  });

  it('tells the three parts of Kinesis Video by path', () => {
    const signed = { signingName: 'kinesisvideo' };
    assert.equal(route('POST /createStream', signed), 'kinesis-video.CreateStream');
    assert.equal(route('POST /getMedia', signed), 'kinesis-video-media.GetMedia');
    assert.equal(route('POST /getClip', signed), 'kinesis-video-archived-media.GetClip');
    assert.equal(route('POST /unknown', signed), 'kinesis-video 404 UnknownOperationException');
  });

  it('decodes labels, with slashes and Unicode', () => {
    const signed = { signingName: 'mediaconvert' };
    assert.deepEqual(labelsOf('GET /2017-08-29/tags/arn%3Aaws%3Amediaconvert%3Ar%3A1%3Aqueues%2Fa%20b', signed), {
      Arn: 'arn:aws:mediaconvert:r:1:queues/a b',
    });
    assert.equal(route('GET /2017-08-29/jobs/%ff', signed), 'mediaconvert 400 Malformed');
    assert.equal(route('GET /2017-08-29/jobs/', signed), 'mediaconvert 404 UnknownOperationException');
  });
});

describe('routing to an operation of S3', () => {
  const expected: Readonly<Record<string, string>> = {
    'GET /': 's3.ListBuckets',
    'GET /b': 's3.ListObjects',
    'GET /b/': 's3.ListObjects',
    'GET /b?list-type=2': 's3.ListObjectsV2',
    'GET /b?list-type=3': 's3.ListObjects',
    'GET /b?list-type=2&prefix=policy&delimiter=/': 's3.ListObjectsV2',
    'GET /b?versions': 's3.ListObjectVersions',
    'GET /b?uploads': 's3.ListMultipartUploads',
    'GET /b?location=': 's3.GetBucketLocation',
    'GET /b?policy': 's3.GetBucketPolicy',
    'PUT /b?policy': 's3.PutBucketPolicy',
    'DELETE /b?policy': 's3.DeleteBucketPolicy',
    'GET /b?encryption': 's3.GetBucketEncryption',
    'GET /b?analytics': 's3.ListBucketAnalyticsConfigurations',
    'GET /b?analytics&id=1': 's3.GetBucketAnalyticsConfiguration',
    'PUT /b': 's3.CreateBucket',
    'HEAD /b': 's3.HeadBucket',
    'DELETE /b': 's3.DeleteBucket',
    'POST /b?delete': 's3.DeleteObjects',
    'GET /b/k': 's3.GetObject',
    'GET /b/k?versionId=1&partNumber=2&response-content-type=a': 's3.GetObject',
    'GET /b/k?x-id=PutObject': 's3.GetObject',
    'GET /b/k?uploadId=u': 's3.ListParts',
    'GET /b/k?acl': 's3.GetObjectAcl',
    'GET /b/k?attributes': 's3.GetObjectAttributes',
    'HEAD /b/k': 's3.HeadObject',
    'PUT /b/k': 's3.PutObject',
    'PUT /b/k?partNumber=1&uploadId=u': 's3.UploadPart',
    'PUT /b/k?tagging': 's3.PutObjectTagging',
    'POST /b/k?uploads': 's3.CreateMultipartUpload',
    'POST /b/k?uploadId=u': 's3.CompleteMultipartUpload',
    'DELETE /b/k': 's3.DeleteObject',
    'DELETE /b/k?uploadId=u': 's3.AbortMultipartUpload',
    'POST /WriteGetObjectResponse': 's3.WriteGetObjectResponse',
    // What S3 refuses, or knows under no schema.
    'POST /b': 's3.PutObject',
    'POST /b/k': 's3 405 MethodNotAllowed',
    'DELETE /b?uploads': 's3 405 MethodNotAllowed',
    'DELETE /b/k?acl': 's3 405 MethodNotAllowed',
    'PUT /b?location': 's3 405 MethodNotAllowed',
    'DELETE /': 's3 405 MethodNotAllowed',
    'PATCH /b/k': 's3 405 MethodNotAllowed',
    'get /b/k': 's3 405 MethodNotAllowed',
    'GET /b?acl&policy': 's3 400 InvalidArgument',
    'PUT /b/k?partNumber=1': 's3 400 InvalidArgument',
    'PUT /b/k?uploadId=u': 's3 400 InvalidArgument',
    'GET /b/%zz': 's3 400 InvalidURI',
    'GET /b/%ff': 's3 400 InvalidURI',
    'GET /b?prefix=%c3': 's3 400 InvalidURI',
    'GET //k': 's3 400 InvalidURI',
  };
  for (const [line, answer] of Object.entries(expected)) {
    it(`answers ${line} with ${answer}`, () => {
      assert.equal(route(line), answer);
      assert.equal(route(line, { signingName: 's3' }), answer);
    });
  }

  it('tells copies by their header', () => {
    assert.equal(route('PUT /b/k', copy), 's3.CopyObject');
    assert.equal(route('PUT /b/k?partNumber=1&uploadId=u', copy), 's3.UploadPartCopy');
    assert.equal(route('GET /b/k', copy), 's3.GetObject');
  });

  it('takes the bucket from the host where it stands there', () => {
    const host = { bucketFromHost: 'bkt' };
    assert.equal(route('GET /', host), 's3.ListObjects');
    assert.equal(route('PUT /', host), 's3.CreateBucket');
    assert.equal(route('GET /?policy', host), 's3.GetBucketPolicy');
    assert.deepEqual(labelsOf('GET /b/k', host), { Bucket: 'bkt', Key: 'b/k' });
    assert.deepEqual(labelsOf('GET //', host), { Bucket: 'bkt', Key: '/' });
  });

  it('names the methods that are allowed', () => {
    const match = router.match(requestOf('DELETE /b?location', {}, {}));
    assert('error' in match);
    assert.equal(match.error.headers.Allow, 'GET');
  });

  it('keeps keys exactly: doubled slashes, dots, escapes, trailing slashes', () => {
    const keys = [
      'a//b',
      '/a',
      '//',
      'a/',
      'a/../b',
      '.',
      '..',
      './a',
      'a+b',
      'a b',
      'ä/日本😀',
      '%25',
      '?x=1&y',
      '#',
      '\\',
      '\u0001',
    ];
    for (const key of keys) {
      for (const raw of [encodeURIComponent(key), encodeURIComponent(key).replaceAll('%2F', '/')]) {
        assert.deepEqual(labelsOf(`GET /b/${raw}`), { Bucket: 'b', Key: key }, raw);
      }
    }
    fc.assert(
      fc.property(
        anyText.filter((text) => text !== ''),
        (key) => {
          assert.deepEqual(labelsOf(`GET /b/${encodeURIComponent(key)}`), { Bucket: 'b', Key: key });
        },
      ),
    );
  });

  it('answers any request with an operation or a refusal', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.string(),
        fc.constantFrom('GET', 'PUT', 'POST', 'DELETE', 'HEAD', 'X'),
        (path, query, method) => {
          const match = router.match({ method, path: `/${path}`, query, header: () => undefined });
          assert('error' in match ? match.error.status >= 400 : match.operation.name !== '');
        },
      ),
    );
  });
});
