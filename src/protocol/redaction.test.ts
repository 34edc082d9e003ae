import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NormalizedSchema } from '@smithy/core/schema';
import type { StaticListSchema, StaticMapSchema, StaticSimpleSchema, StaticStructureSchema } from '@smithy/types';
import { redactors } from './redaction.ts';

const HIDDEN = 'HIDDEN_DUE_TO_SECURITY_REASONS';
const STRING = 0;
const BLOB = 21;

const open: StaticStructureSchema = [3, 'test', 'Open', 0, ['Name'], [STRING]];
const openList: StaticListSchema = [1, 'test', 'OpenList', 0, STRING];
const openMap: StaticMapSchema = [2, 'test', 'OpenMap', 0, STRING, STRING];
const secretList: StaticListSchema = [1, 'test', 'SecretList', 0, [STRING, { sensitive: 1 }]];
const secretMap: StaticMapSchema = [2, 'test', 'SecretMap', 0, STRING, [STRING, { sensitive: 1 }]];
const secretText: StaticSimpleSchema = [0, 'test', 'SecretText', { sensitive: 1 }, STRING];

const input: StaticStructureSchema = [
  3,
  'test',
  'Input',
  0,
  [
    'Text',
    'SecretText',
    'TypedSecret',
    'Open',
    'SecretOpen',
    'OpenList',
    'SecretList',
    'Items',
    'Map',
    'SecretMap',
    'Blob',
  ],
  [
    STRING,
    [STRING, { sensitive: 1 }],
    () => secretText,
    () => open,
    [() => open, { sensitive: 1 }],
    () => openList,
    [() => openList, { sensitive: 1 }],
    () => secretList,
    () => openMap,
    () => secretMap,
    BLOB,
  ],
];

const VALUE = {
  Text: 'open',
  SecretText: 'secret',
  TypedSecret: 'secret',
  Open: { Name: 'open' },
  SecretOpen: { Name: 'secret' },
  OpenList: ['open'],
  SecretList: ['secret'],
  Items: ['secret', 'secret'],
  Map: { key: 'open' },
  SecretMap: { key: 'secret' },
  Blob: Buffer.from('secret'),
};

const EXPECTED = {
  text: 'open',
  secretText: HIDDEN,
  typedSecret: HIDDEN,
  open: { name: 'open' },
  secretOpen: HIDDEN,
  openList: ['open'],
  secretList: HIDDEN,
  items: [HIDDEN, HIDDEN],
  map: { key: 'open' },
  secretMap: { key: HIDDEN },
};

describe('redaction', () => {
  it('hides a member that is sensitive although its target is not, in whatever order they are met', () => {
    for (const names of [Object.keys(VALUE), Object.keys(VALUE).reverse()]) {
      const order = names.map((name) => input[4].indexOf(name));
      const shuffled: StaticStructureSchema = [
        3,
        'test',
        'Input',
        0,
        names,
        order.map((index) => input[5][index] ?? STRING),
      ];
      const redact = redactors()(NormalizedSchema.of(shuffled));
      const shown = redact(VALUE);
      assert.deepEqual(shown, EXPECTED);
      assert.ok(!JSON.stringify(shown).includes('"secret"'));
    }
  });

  it('shows nothing of values that are not what the schema says', () => {
    const redact = redactors()(NormalizedSchema.of(input));
    assert.deepEqual(
      redact({ SecretText: { nested: 'secret' }, Blob: 'secret', OpenList: 'secret', unknown: 'secret' }),
      {
        secretText: HIDDEN,
      },
    );
    assert.deepEqual(redact(undefined), {});
  });
});
