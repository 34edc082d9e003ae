import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseSync } from 'oxc-parser';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

type Layer = 'kernel' | 'crypto' | 'policy' | 'protocol' | 'auth' | 'storage' | 'media' | 'services' | 'gateway';

/** docs/architecture.md, "Layers": what each layer may import, beside itself. */
const ALLOWED: Readonly<Record<Layer, readonly Layer[]>> = {
  kernel: [],
  crypto: ['kernel'],
  policy: ['kernel'],
  protocol: ['kernel'],
  auth: ['kernel', 'crypto'],
  storage: ['kernel', 'crypto'],
  media: ['kernel', 'crypto'],
  services: ['kernel', 'crypto', 'policy', 'storage', 'media'],
  gateway: ['kernel', 'protocol', 'auth', 'policy', 'storage', 'services'],
};

/** The only thing of the storage layer that the gateway knows: an error that it has to word. */
const GATEWAY_MAY_IMPORT = new Set(['src/storage/storage-full-error.ts']);

interface Import {
  readonly from: string;
  readonly to: string;
}

function importsOf(file: string): Import[] {
  const { module, errors } = parseSync(file, readFileSync(join(root, file), 'utf8'));
  assert.deepEqual(errors, [], `${file} does not parse`);
  const specifiers = [
    ...module.staticImports.map((entry) => entry.moduleRequest.value),
    ...module.staticExports.flatMap((entry) => entry.entries.flatMap((item) => item.moduleRequest?.value ?? [])),
  ];
  return specifiers.flatMap((specifier) => {
    const to = targetOf(file, specifier);
    return to === undefined ? [] : [{ from: file, to }];
  });
}

function targetOf(file: string, specifier: string): string | undefined {
  if (specifier.startsWith('#')) return `src/${specifier.slice(1)}`;
  if (specifier.startsWith('.')) return posix.join(posix.dirname(file), specifier);
  return undefined;
}

const layerOf = (file: string): string => file.split('/')[1] ?? '';
const serviceOf = (file: string): string => file.split('/')[2] ?? '';

function problemOf({ from, to }: Import): string | undefined {
  const [source, target] = [layerOf(from), layerOf(to)];
  if (!to.startsWith('src/')) return `${from} imports ${to}, which is outside src/`;
  if (source === target) {
    const isForeignService = source === 'services' && serviceOf(from) !== serviceOf(to);
    return isForeignService && !to.endsWith('/api.ts')
      ? `${from} imports ${to}: another service is entered by its api.ts alone`
      : undefined;
  }
  if (!ALLOWED[source as Layer].includes(target as Layer))
    return `${from} imports ${to}: ${source} may not import ${target}`;
  if (source === 'gateway' && target === 'services') return `${from} imports ${to}: the gateway is handed the services`;
  if (source === 'gateway' && target === 'storage' && !GATEWAY_MAY_IMPORT.has(to)) return `${from} imports ${to}`;
  return undefined;
}

describe('the layers', () => {
  const files = globSync('src/**/*.ts', { cwd: root })
    .map((file) => relative('.', file).replaceAll('\\', '/'))
    .filter((file) => !file.endsWith('.test.ts'));
  const imports = files.flatMap(importsOf);

  it('are all seen by this test', () => {
    assert.ok(files.length > 100, `only ${files.length} modules were found`);
    assert.ok(imports.length > 200, `only ${imports.length} imports were found`);
    assert.deepEqual([...new Set(files.map(layerOf))].sort(), Object.keys(ALLOWED).sort());
  });

  it('import only what the table allows', () => {
    assert.deepEqual(
      imports.map(problemOf).filter((problem) => problem !== undefined),
      [],
    );
  });

  it('keep ciphers in crypto, but for those that a protocol of live media has on the wire', () => {
    const WIRE_CIPHERS = ['src/media/srt/key-message.ts', 'src/media/srt/key-stream.ts'];
    const users = files.filter(
      (file) =>
        !file.endsWith('.test.ts') && /createCipheriv|createDecipheriv/.test(readFileSync(join(root, file), 'utf8')),
    );
    assert.deepEqual(users.filter((file) => layerOf(file) !== 'crypto').toSorted(), WIRE_CIPHERS);
  });
});

describe('the source files', () => {
  const files = globSync('{src,bin,test,bench,tools}/**/*.{ts,mjs}', { cwd: root }).filter(
    (file) => !file.includes('/generated/'),
  );

  it('are at most 500 lines long', () => {
    const long = files.filter((file) => readFileSync(join(root, file), 'utf8').split('\n').length > 501);
    assert.deepEqual(long, []);
  });

  it('are named in kebab-case', () => {
    const odd = files.filter((file) => !/^[a-z0-9-]+(\.test)?\.(ts|mjs)$/.test(posix.basename(file)));
    assert.deepEqual(odd, []);
  });
});
