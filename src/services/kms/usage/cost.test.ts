import assert from 'node:assert/strict';
import { test } from 'node:test';
import { costOf, priceClassOf } from './cost.ts';
import type { UsageRecord } from './usage-tables.ts';

const ACCOUNT = '111122223333';
const DAY = 86_400_000;
const NOVEMBER = { from: Date.UTC(2026, 10, 1), length: 30 * DAY, to: Date.UTC(2026, 11, 1) };

function row(operation: string, spec: string, requests: number, more: Partial<UsageRecord> = {}): UsageRecord {
  const place = { day: '2026-11-02', region: 'eu-west-1', key_id: 'k', key_account: ACCOUNT, variant: '' };
  const given = { ...place, operation, principal: 'p', account: ACCOUNT, spec, requests, failed: 0, ...more };
  return given as UsageRecord;
}

test('knows which price a request has', () => {
  const classOf = (operation: string, spec: string, variant = '') =>
    priceClassOf({ operation, spec: spec as UsageRecord['spec'], variant });
  assert.equal(classOf('Encrypt', 'SYMMETRIC_DEFAULT'), 'symmetric');
  assert.equal(classOf('GenerateMac', 'HMAC_256'), 'symmetric');
  assert.equal(classOf('GenerateRandom', ''), 'symmetric');
  assert.equal(classOf('DescribeKey', 'RSA_4096'), 'symmetric');
  assert.equal(classOf('Sign', 'RSA_2048'), 'rsa2048');
  assert.equal(classOf('Decrypt', 'RSA_3072'), 'asymmetric');
  for (const spec of ['ECC_NIST_P256', 'ML_DSA_65']) assert.equal(classOf('Verify', spec), 'asymmetric');
  assert.equal(classOf('GenerateDataKeyPair', 'SYMMETRIC_DEFAULT', 'RSA_2048'), 'rsaDataKeyPair');
  assert.equal(classOf('GenerateDataKeyPairWithoutPlaintext', 'SYMMETRIC_DEFAULT', 'ECC_NIST_P384'), 'eccDataKeyPair');
});

test('takes the free tier off symmetric requests alone, and charges no failed ones', () => {
  const rows = [
    row('Decrypt', 'SYMMETRIC_DEFAULT', 1_019_000),
    row('ListKeys', '', 2_000, { failed: 1_000 }),
    row('Sign', 'ECC_NIST_P256', 10_000),
    row('Sign', 'RSA_2048', 10_000),
    row('GenerateDataKeyPair', 'SYMMETRIC_DEFAULT', 100, { variant: 'RSA_4096' }),
    row('Decrypt', 'SYMMETRIC_DEFAULT', 5, { account: '444455556666' as UsageRecord['account'] }),
  ];
  const [own, other] = costOf(rows, [], NOVEMBER);
  assert.deepEqual(
    own?.requests.map(({ priceClass, requests, free, cost }) => [priceClass, requests, free, Number(cost.toFixed(4))]),
    [
      ['asymmetric', 10_000, 0, 0.15],
      ['rsa2048', 10_000, 0, 0.03],
      ['rsaDataKeyPair', 100, 0, 0.12],
      ['symmetric', 1_020_000, 20_000, 3],
    ],
  );
  assert.equal(own?.total.toFixed(2), '3.30');
  assert.equal(other?.total, 0);
});

test('charges keys for the part of the month in which they were there, and two rotations at most', () => {
  const middle = NOVEMBER.from + 15 * DAY;
  const [cost] = costOf(
    [],
    [
      { account: ACCOUNT, createdAt: 0, rotatedAt: [] },
      { account: ACCOUNT, createdAt: middle, rotatedAt: [] },
      { account: ACCOUNT, createdAt: 0, rotatedAt: [1, 2, 3] },
      { account: ACCOUNT, createdAt: 0, rotatedAt: [middle] },
      { account: ACCOUNT, createdAt: NOVEMBER.to + 1, rotatedAt: [] },
    ],
    NOVEMBER,
  );
  assert.equal(cost?.keys, 4);
  assert.equal(cost?.keyMonths, 1 + 0.5 + 3 + 1.5);
  const [soFar] = costOf([], [{ account: ACCOUNT, createdAt: 0, rotatedAt: [] }], { ...NOVEMBER, to: middle });
  assert.equal(soFar?.keyMonths, 0.5);
});
