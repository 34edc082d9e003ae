import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isPrivate } from './private-addresses.ts';

describe('which addresses are private', () => {
  for (const address of [
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '169.254.169.254',
    '172.31.255.255',
    '192.168.1.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:8.8.8.8',
    '64:ff9b::a00:1',
    '2001:db8::1',
    '2002:a00:1::',
    'fc00::1',
    'fe80::1',
    'ff02::1',
    'no address',
  ]) {
    it(`${address} is`, () => assert.equal(isPrivate(address), true));
  }
  for (const address of ['8.8.8.8', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '2a00:1450:4001::1']) {
    it(`${address} is not`, () => assert.equal(isPrivate(address), false));
  }
});
