import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RequestSource } from '#kernel/operation.ts';
import { ownAddressOf, stageAddress } from './addresses.ts';

const DOMAINS = ['localhost', 'media.example'];

describe('an address of the key provider', () => {
  const own: readonly (readonly [string, object])[] = [
    ['https://coffer.execute-api.eu-west-1.amazonaws.com/speke/copyProtection', { region: 'eu-west-1' }],
    ['https://COFFER.execute-api.media.example/speke/copyProtection', {}],
    ['https://coffer.execute-api.us-gov-west-1.media.example:8443/speke/copyProtection', { region: 'us-gov-west-1' }],
    ['https://localhost/_aws/execute-api/coffer/speke/copyProtection', {}],
    ['https://127.0.0.1:4566/_aws/execute-api/coffer/speke/copyProtection', {}],
    ['https://media.example/_aws/execute-api/coffer/speke/copyProtection', {}],
  ];
  for (const [url, expected] of own) {
    it(`is ${url}`, () => assert.deepEqual(ownAddressOf(url, DOMAINS), expected));
  }

  const foreign = [
    'https://abcdef1234.execute-api.eu-west-1.amazonaws.com/speke/copyProtection',
    'https://coffer.execute-api.eu-west-1.amazonaws.com.evil.example/speke/copyProtection',
    'https://coffer.execute-api.eu-west-1.amazonaws.com/EkeStage/copyProtection',
    'https://coffer.execute-api.eu-west-1.amazonaws.com/speke/copyProtection?a=1',
    'https://other.example/_aws/execute-api/coffer/speke/copyProtection',
    'https://localhost/_aws/execute-api/other/speke/copyProtection',
    'https://localhost/speke/copyProtection',
    'no address',
  ];
  for (const url of foreign) {
    it(`is not ${url}`, () => assert.equal(ownAddressOf(url, DOMAINS), undefined));
  }

  it('is told to players as they have reached it, or as the operator says', () => {
    const source = (more: Partial<RequestSource>): RequestSource => ({
      sourceIp: '127.0.0.1',
      userAgent: '',
      isSecure: true,
      method: 'POST',
      path: '/_aws/execute-api/coffer/speke/copyProtection',
      host: 'media.example',
      authType: 'REST-HEADER',
      header: () => undefined,
      ...more,
    });
    const within = source({ authType: 'INTERNAL', path: '/' });
    const byHost = source({ path: '/speke/copyProtection', host: 'coffer.execute-api.media.example' });
    const path = '/_aws/execute-api/coffer/speke';
    assert.equal(stageAddress(source({}), undefined, undefined), `https://media.example${path}`);
    assert.equal(stageAddress(byHost, undefined, undefined), 'https://coffer.execute-api.media.example/speke');
    assert.equal(stageAddress(within, undefined, 'http://127.0.0.1:4566'), `http://127.0.0.1:4566${path}`);
    assert.equal(stageAddress(byHost, 'https://play.example/coffer', undefined), `https://play.example/coffer${path}`);
  });
});
