import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { AuthorizationFacts } from './authorization-facts.ts';
import { compileResource, intersects } from './arn-pattern.ts';
import { nearest } from '#policy/nearest.ts';

const SERVICES = join(import.meta.dirname, '../..');
/** Names of other things that look the same: condition keys of errors and enumerations. */
const ACTION = /\baction: '([a-z0-9-]+):([A-Z][A-Za-z]+)'|authorizeOn\w+\('([a-z0-9-]+):([A-Z][A-Za-z]+)'/g;

describe('the facts on actions, resource types and condition keys', () => {
  const facts = new AuthorizationFacts();

  it('know every action that Coffer’s own operations ask for', async () => {
    let asked = 0;
    for (const file of globSync('**/*.ts', { cwd: SERVICES })) {
      if (file.endsWith('.test.ts')) continue;
      for (const match of readFileSync(join(SERVICES, file), 'utf8').matchAll(ACTION)) {
        const prefix = match[1] ?? match[3] ?? '';
        const name = match[2] ?? match[4] ?? '';
        const service = await facts.service(prefix);
        assert.ok(service?.actions.has(name.toLowerCase()), `${file} asks for ${prefix}:${name}`);
        asked += 1;
      }
    }
    assert.ok(asked > 100, String(asked));
  });

  it('tell the kinds of resources apart', async () => {
    const s3 = await facts.service('s3');
    const typesOf = (resource: string) =>
      [...(s3?.resourceTypes.values() ?? [])]
        .filter(({ pattern }) => intersects(pattern, compileResource(resource)))
        .map(({ name }) => name);
    assert.deepEqual(typesOf('arn:aws:s3:::films'), ['bucket']);
    assert.deepEqual(typesOf('arn:aws:s3:::films/a/b'), ['object']);
    assert.deepEqual(typesOf('arn:aws:s3:::films/${aws:username}/*'), ['object']);
    assert.ok(typesOf('arn:aws:s3:::*').includes('bucket') && typesOf('*').includes('object'));
    assert.deepEqual(s3?.actions.get('getobject')?.resourceTypes.includes('object'), true);
  });

  it('know keys with variables in their names, and nothing under names that objects have anyway', async () => {
    assert.equal((await facts.keyType('aws:SourceIp'))?.kind, 'IPAddress');
    assert.deepEqual(await facts.keyType('AWS:tagkeys'), { key: 'aws:TagKeys', kind: 'String', isList: true });
    assert.equal((await facts.keyType('s3:ExistingObjectTag/team'))?.kind, 'String');
    for (const name of ['constructor', '__proto__', 'toString', '../services', 's3/../kms']) {
      assert.equal(await facts.service(name), undefined);
      assert.equal(await facts.keyType(`${name}:a`), undefined);
    }
  });
});

describe('patterns of ARNs', () => {
  const character = fc.constantFrom('a', 'b', '/', ':');
  const pattern = fc.array(fc.constantFrom('a', 'b', '/', '*', '?'), { maxLength: 8 }).map((parts) => parts.join(''));
  const matches = (glob: string, text: string): boolean => {
    const expression = glob.replace(/[*?]/g, (symbol) => (symbol === '*' ? '[^]*' : '[^]'));
    return new RegExp(`^${expression}$`).test(text);
  };

  it('meet wherever a text fits both', () => {
    fc.assert(
      fc.property(pattern, pattern, fc.string({ unit: character, maxLength: 8 }), (a, b, text) => {
        if (!matches(a, text) || !matches(b, text)) return;
        assert.ok(intersects(compileResource(a), compileResource(b)), `${a} and ${b} both fit ${text}`);
      }),
      { numRuns: 2000 },
    );
  });

  it('meet nowhere else', () => {
    for (const [a, b, isMet] of [
      ['a*', 'b*', false],
      ['*a', '*b', false],
      ['a*b', '*c*', true],
      ['a?b', 'ab', false],
      ['arn:aws:s3:::a/*', 'arn:aws:s3:::b/*', false],
      ['arn:aws:s3:::a/*', 'arn:aws:*', true],
    ] as const) {
      assert.equal(intersects(compileResource(a), compileResource(b)), isMet, `${a} ${b}`);
    }
  });
});

describe('the nearest name', () => {
  it('is the one with the fewest changes, and none where none is near', () => {
    assert.equal(nearest('GetObejct', ['PutObject', 'GetObject', 'GetObjectAcl']), 'GetObject');
    assert.equal(nearest('kinesis-video', ['kinesis', 'kinesisvideo', 'kms']), 'kinesisvideo');
    assert.equal(nearest('xyzzy', ['GetObject']), undefined);
    assert.equal(nearest('a'.repeat(500), ['a']), undefined);
  });
});
