import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PolicyCache } from './policy-cache.ts';

const documentOf = (action: string) =>
  JSON.stringify({ Statement: { Effect: 'Allow', Action: action, Resource: '*' } });

test('a document is compiled once, and again only when its text is another', () => {
  const cache = new PolicyCache('identity');
  const first = cache.get(documentOf('s3:Get*'));
  for (let time = 0; time < 100; time++) assert.equal(cache.get(documentOf('s3:Get*')), first);
  assert.equal(cache.compilations, 1);
  assert.notEqual(cache.get(documentOf('s3:Put*')), first);
  assert.equal(cache.compilations, 2);
  cache.get(documentOf('s3:Get*'));
  assert.equal(cache.compilations, 2);
});

test('what is in use stays when more documents come than there is room for, and what is not goes', () => {
  const cache = new PolicyCache('identity', 1000);
  const used = cache.get(documentOf('s3:Get*'));
  for (let number = 0; number < 500; number++) {
    cache.get(documentOf(`s3:Other${number}`));
    assert.equal(cache.get(documentOf('s3:Get*')), used);
  }
  assert.equal(cache.compilations, 501);
  cache.get(documentOf('s3:Other0'));
  assert.equal(cache.compilations, 502);
});

test('a document that does not compile is not kept', () => {
  const cache = new PolicyCache('identity');
  assert.throws(() => cache.get('{}'));
  assert.throws(() => cache.get('{}'));
});
