import assert from 'node:assert/strict';
import { test } from 'node:test';
import { corsHeaders, readCorsRules } from './cors-rules.ts';

const ask = (origin: string, method = 'GET', headers: readonly string[] = []) => ({ origin, method, headers });
const rulesOf = (AllowedOrigins: string[], more: object = {}) =>
  readCorsRules([{ AllowedOrigins, AllowedMethods: ['GET'], ...more }]);

test('an origin fits a pattern with one wildcard anywhere, and only as a whole', () => {
  const rules = rulesOf(['https://*.example.com']);
  const allowed = (origin: string) => corsHeaders(rules, ask(origin))?.['access-control-allow-origin'];
  assert.equal(allowed('https://a.example.com'), 'https://a.example.com');
  assert.equal(allowed('https://example.com'), undefined);
  assert.equal(allowed('https://a.example.com.evil.org'), undefined);
  assert.equal(allowed('HTTPS://a.example.com'), undefined);
  const overlap = rulesOf(['aba*aba']);
  assert.equal(corsHeaders(overlap, ask('aba')), undefined);
});

test('the first rule that allows origin, method and every header answers', () => {
  const rules = readCorsRules([
    { AllowedOrigins: ['*'], AllowedMethods: ['GET'], AllowedHeaders: ['x-amz-*'] },
    { AllowedOrigins: ['http://a'], AllowedMethods: ['GET', 'PUT'], AllowedHeaders: ['*'], MaxAgeSeconds: 60 },
  ]);
  assert.equal(corsHeaders(rules, ask('http://a', 'GET', ['x-amz-date']))?.['access-control-allow-origin'], '*');
  const second = corsHeaders(rules, ask('http://a', 'GET', ['x-amz-date', 'range']));
  assert.equal(second?.['access-control-allow-methods'], 'GET, PUT');
  assert.equal(second['access-control-allow-headers'], 'x-amz-date, range');
  assert.equal(second['access-control-max-age'], '60');
  assert.equal(corsHeaders(rules, ask('http://b', 'PUT')), undefined);
});

test('whoever may be anybody is not told that credentials may be sent', () => {
  assert.equal(corsHeaders(rulesOf(['*']), ask('http://a'))?.['access-control-allow-credentials'], undefined);
  assert.equal(corsHeaders(rulesOf(['http://a']), ask('http://a'))?.['access-control-allow-credentials'], 'true');
});

test('rules that AWS would not take are refused', () => {
  assert.throws(() => readCorsRules([]), { code: 'MalformedXML' });
  assert.throws(() => rulesOf(['http://*.*']), /can not have more than one wildcard/);
  assert.throws(() => rulesOf(['*'], { AllowedHeaders: ['a*b*'] }), /can not have more than one wildcard/);
  assert.throws(() => rulesOf(['*'], { ExposeHeaders: ['x-*'] }), /contains wildcard/);
  assert.throws(() => rulesOf(['*'], { AllowedMethods: ['PATCH'] }), /Unsupported method is PATCH/);
});
