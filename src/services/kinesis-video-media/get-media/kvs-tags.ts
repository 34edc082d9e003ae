import { ELEMENT } from '#media/matroska/element-ids.ts';
import { OPEN_SEGMENT, writeElement, writeTags } from '#media/matroska/matroska-writer.ts';
import type { FragmentRecord, MediaFailure } from '#services/kinesis-video/api.ts';

// Frozen: the developer guide's names ("GetMedia"), as consumers look for them.
const FRAGMENT_NUMBER = 'AWS_KINESISVIDEO_FRAGMENT_NUMBER';
const SERVER_TIMESTAMP = 'AWS_KINESISVIDEO_SERVER_TIMESTAMP';
const PRODUCER_TIMESTAMP = 'AWS_KINESISVIDEO_PRODUCER_TIMESTAMP';
const MILLIS_BEHIND_NOW = 'AWS_KINESISVIDEO_MILLIS_BEHIND_NOW';
const CONTINUATION_TOKEN = 'AWS_KINESISVIDEO_CONTINUATION_TOKEN';
const ERROR_CODE = 'AWS_KINESISVIDEO_ERROR_CODE';
const ERROR_ID = 'AWS_KINESISVIDEO_ERROR_ID';

/** The tags before a fragment's Cluster. */
export function tagsBefore({ number, serverTimestamp, producerTimestamp }: FragmentRecord): Buffer {
  return writeTags([
    { name: FRAGMENT_NUMBER, value: number },
    { name: SERVER_TIMESTAMP, value: seconds(serverTimestamp) },
    { name: PRODUCER_TIMESTAMP, value: seconds(producerTimestamp) },
  ]);
}

/**
 * The tags after a fragment.
 *
 * @param millisBehindNow how much later the newest fragment of the stream came
 */
export function tagsAfter({ number }: FragmentRecord, millisBehindNow: number): Buffer {
  return writeTags([
    { name: MILLIS_BEHIND_NOW, value: String(millisBehindNow) },
    { name: CONTINUATION_TOKEN, value: number },
  ]);
}

/** What stands in the place of a fragment that cannot be given: a Matroska stream without a Cluster. */
export function errorChunk({ id, code }: MediaFailure, number: string): Buffer {
  return Buffer.concat([
    EBML_HEADER,
    OPEN_SEGMENT,
    writeTags([
      { name: FRAGMENT_NUMBER, value: number },
      { name: ERROR_CODE, value: code },
      { name: ERROR_ID, value: String(id) },
    ]),
  ]);
}

/** Exactly three decimals. */
function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(3);
}

const DOC_TYPE_VERSION = 0x4287;
const DOC_TYPE_READ_VERSION = 0x4285;
const EBML_HEADER = writeElement(
  ELEMENT.ebml,
  [
    writeElement(ELEMENT.docType, [Buffer.from('matroska')], 1),
    writeElement(DOC_TYPE_VERSION, [Buffer.of(2)], 1),
    writeElement(DOC_TYPE_READ_VERSION, [Buffer.of(2)], 1),
  ],
  1,
);
