import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asAccountId, asRegion } from '#kernel/ids.ts';
import { RecordDamageError, RecordSeal } from './record-seal.ts';

const seal = new RecordSeal(Buffer.alloc(32, 1));

test('notices any changed column of a bucket, also after it was found sound', () => {
  const bucket = seal.bucket({
    name: 'b',
    account: asAccountId('123456789012'),
    region: asRegion('eu-west-1'),
    created_at: 1,
    policy: null,
    encryption: '{}',
    tags: null,
    settings: null,
  });
  assert.equal(seal.checkBucket(bucket), bucket);
  for (const change of [
    { policy: '{}' },
    { encryption: null },
    { account: asAccountId('210987654321') },
    { created_at: 2 },
    { tags: '{}' },
  ]) {
    assert.throws(() => seal.checkBucket({ ...bucket, ...change }), RecordDamageError);
  }
  assert.throws(() => seal.checkBucket({ ...bucket, mac: Buffer.alloc(32) }), RecordDamageError);
  assert.throws(() => new RecordSeal(Buffer.alloc(32, 2)).checkBucket(bucket), RecordDamageError);
});

test('notices any changed column of an object, an upload and a part', () => {
  const object = {
    ...seal.object({ bucket: 'b', key: 'k', id: '1', size: 1, etag: 'e', modified_at: 1, facts: '{}' }),
    parts: null,
    body: null,
  };
  seal.checkObject(object);
  for (const change of [{ key: 'l' }, { id: '2' }, { size: 2 }, { etag: 'f' }, { modified_at: 2 }, { facts: '{ }' }]) {
    assert.throws(() => seal.checkObject({ ...object, ...change }), RecordDamageError);
  }
  const upload = seal.upload({ id: 'u', bucket: 'b', key: 'k', object_id: '1', initiated_at: 1, facts: '{}' });
  seal.checkUpload(upload);
  assert.throws(() => seal.checkUpload({ ...upload, object_id: '2' }), RecordDamageError);
  const part = seal.part({ upload: 'u', number: 1, facts: '{}', modified_at: 1 });
  seal.checkPart(part);
  assert.throws(() => seal.checkPart({ ...part, number: 2 }), RecordDamageError);
});
