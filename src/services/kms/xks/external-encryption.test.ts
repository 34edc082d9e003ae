import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { asAccountId, asRegion } from '#kernel/ids.ts';
import { openExternally, sealExternally } from './external-encryption.ts';
import type { ExternalKey } from './key-store-record.ts';
import type { KeyUse } from './key-store-proxy.ts';

const external: ExternalKey = {
  xksKeyId: 'key',
  store: {
    id: 'cks-00000000000000000',
    account: asAccountId('111122223333'),
    region: asRegion('eu-west-1'),
    name: 'store',
    uri_endpoint: 'https://xks.example',
    uri_path: '/kms/xks/v1',
    access_key_id: 'A',
    sealed_secret: Buffer.of(),
    connection_state: 'CONNECTED',
    connection_error: null,
    created_at: 0,
  },
};
const use: KeyUse = { principalArn: '', keyArn: '', operation: '', requestId: '', service: undefined, now: 0 };

test('opens what a proxy took its time for, though the material was forgotten meanwhile', async () => {
  const material = randomBytes(32);
  const header = { keyId: '12345678-1234-4123-8123-123456789012', materialId: 'ab'.repeat(32) };
  const proxies = {
    async encrypt(_key: ExternalKey, text: Uint8Array) {
      return { iv: Buffer.alloc(12), metadata: Buffer.of(), tag: Buffer.alloc(16), ciphertext: text };
    },
    async decrypt(_key: ExternalKey, wrapped: { readonly ciphertext: Uint8Array }) {
      material.fill(0);
      return Buffer.from(wrapped.ciphertext);
    },
  };
  const plaintext = Buffer.from('a data key');
  const blob = await sealExternally(proxies, external, { header, material }, plaintext, { a: 'b' }, use);
  const opened = await openExternally(proxies, external, material, blob, { a: 'b' }, use);
  assert.deepEqual(opened, plaintext);
});
