import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { builtNamesOf, manifests } from '../harness/manifests.ts';

/** What the page calls each service. */
const TITLES: Readonly<Record<string, string>> = {
  kms: 'KMS',
  s3: 'S3',
  's3-control': 'S3 Control',
  mediaconvert: 'MediaConvert',
  iam: 'IAM',
  sts: 'STS',
  cloudtrail: 'CloudTrail',
  accessanalyzer: 'Access Analyzer',
  'secrets-manager': 'Secrets Manager',
  mediaconnect: 'MediaConnect',
  'key-provider': 'Key provider',
  'kinesis-video': 'Kinesis Video Streams',
  'kinesis-video-media': 'Kinesis Video Streams media',
  'kinesis-video-archived-media': 'Kinesis Video Streams archived media',
};

interface Row {
  readonly names: readonly string[];
  readonly state: string;
  readonly notes: string;
}

const page = readFileSync(new URL('../../docs/compatibility.md', import.meta.url), 'utf8');

function sectionOf(title: string): string | undefined {
  const section = page.split(/^## /m).find((candidate) => candidate.startsWith(`${title}:`));
  // What stands under headings of its own is not about operations.
  return section?.split(/^### /m)[0];
}

function rowsOf(section: string): Row[] {
  const lines = section.split('\n').filter((line) => line.startsWith('| `'));
  return lines.map((line) => {
    const [, first = '', state = '', notes = ''] = line.split('|').map((cell) => cell.trim());
    return { names: [...first.matchAll(/`(\w+)`/g)].map((match) => match[1] ?? ''), state, notes };
  });
}

describe('docs/compatibility.md', () => {
  for (const service of manifests) {
    const title = TITLES[service.name] ?? service.name;
    const built = builtNamesOf(service);

    it(`counts the operations of ${title}`, () => {
      const count = `${title}: ${built.length} of ${service.schemas.length}`;
      assert.match(page, new RegExp(`^(## |- )${count}$`, 'm'), `the page does not say '${count}'`);
    });

    if (built.length === 0) continue;
    it(`lists every built operation of ${title}, once, and no other`, () => {
      const rows = rowsOf(sectionOf(title) ?? '');
      assert.deepEqual(rows.flatMap(({ names }) => names).sort(), [...built].sort());
      for (const { names, state, notes } of rows) {
        assert.match(state, /^(works|partly)$/, names.join(' '));
        if (state === 'partly') assert.notEqual(notes, '', `${names.join(' ')}: partly, but how?`);
      }
    });

    it(`says what of ${title} is refused, and names nothing there that is built`, () => {
      const [, refused = ''] = /^Refused:([^]*)$/m.exec(sectionOf(title) ?? '') ?? [];
      assert.notEqual(refused.trim(), '');
      const known = new Set(service.schemas.map((schema) => schema[2]));
      for (const [, name = ''] of refused.matchAll(/`(\w+)`/g)) {
        assert.ok(known.has(name), `${name} is no operation of ${title}`);
        assert.ok(!built.includes(name) || /is read\s+with/.test(refused), `${name} is built`);
      }
    });
  }
});
