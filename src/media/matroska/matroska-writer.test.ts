import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cluster, ebmlHeader, header, info, tracks } from '#test/harness/matroska-builder.ts';
import { ElementCursor } from './element-cursor.ts';
import { ELEMENT } from './element-ids.ts';
import { OPEN_SEGMENT, writeElement, writeTags } from './matroska-writer.ts';
import { MatroskaParser } from './matroska-parser.ts';
import { parseTags } from './tags.ts';

test('writes the service’s tags with sizes of four bytes, one Tag for all of them', () => {
  const bytes = writeTags([
    { name: 'AB', value: '1' },
    { name: 'C', value: '' },
  ]);
  assert.equal(
    bytes.toString('hex'),
    [
      '1254c3671000002e', // Tags
      '737310000028', // Tag
      '67c81000000f', // SimpleTag
      '45a3100000024142',
      '44871000000131',
      '67c81000000d',
      '45a31000000143',
      '448710000000',
    ].join(''),
  );
});

test('reads back the tags that it wrote', () => {
  const tags = [
    { name: 'AWS_KINESISVIDEO_FRAGMENT_NUMBER', value: '9'.repeat(47) },
    { name: 'Straße', value: 'größer' },
  ];
  const cursor = new ElementCursor(writeTags(tags));
  assert.ok(cursor.next());
  assert.equal(cursor.id, ELEMENT.tags);
  assert.deepEqual(parseTags(cursor.children()), { general: tags, targeted: [] });
});

test('refuses a content that is too long for the size, or would read as an unknown size', () => {
  assert.equal(writeElement(ELEMENT.void, [Buffer.alloc(126)], 1).length, 128);
  assert.throws(() => writeElement(ELEMENT.void, [Buffer.alloc(127)], 1), RangeError);
});

test('a header with the service’s tags and a Cluster behind it is a stream again', () => {
  const parser = new MatroskaParser();
  const [first] = parser.push(Buffer.concat([ebmlHeader(), OPEN_SEGMENT, info(), tracks(), cluster(7)]));
  assert.equal(first?.type, 'header');
  assert.equal(first.bytes.toString('hex'), header().toString('hex'));
});
