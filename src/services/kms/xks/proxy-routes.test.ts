import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readXksRoute } from './proxy-routes.ts';

describe('a setting of where an external key store proxy is', () => {
  it('is a host, or a host with its address, without TLS on this machine alone', () => {
    assert.deepEqual(readXksRoute('XKS.example'), { host: 'xks.example', address: undefined });
    for (const address of [
      'https://10.1.2.3:8443',
      'http://127.0.0.1:9000',
      'http://localhost:9000',
      'http://[::1]:1',
    ]) {
      assert.equal(readXksRoute(` xks.example=${address}`).address?.origin, address);
    }
    const wrong = ['', '=', 'xks.example=', 'xks.example:8443', 'https://xks.example', 'a=b=c', 'xks_example'];
    const wrongAddresses = [
      'http://10.1.2.3',
      'http://127.0.0.1.example',
      'https://a/path',
      'https://u:p@a',
      'ftp://a',
    ];
    for (const text of [...wrong, ...wrongAddresses.map((address) => `xks.example=${address}`)]) {
      assert.throws(() => readXksRoute(text), RangeError, text);
    }
  });
});
