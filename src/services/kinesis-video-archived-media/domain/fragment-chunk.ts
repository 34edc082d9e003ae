import { ELEMENT } from '#media/matroska/element-ids.ts';
import { OPEN_SEGMENT, writeElement, writeTags } from '#media/matroska/matroska-writer.ts';
import type { FragmentRecord } from '#services/kinesis-video/api.ts';
import type { FragmentFailure } from './fragment-failure.ts';

/**
 * What stands between the header of a fragment's connection and its cluster. The documentation of
 * GetMediaForFragmentList names the times otherwise than GetMedia's, by which clients look for them: both are there.
 */
export function fragmentTags(record: FragmentRecord): Buffer {
  const server = seconds(record.serverTimestamp);
  const producer = seconds(record.producerTimestamp);
  return writeTags([
    { name: 'AWS_KINESISVIDEO_FRAGMENT_NUMBER', value: record.number },
    { name: 'AWS_KINESISVIDEO_SERVER_TIMESTAMP', value: server },
    { name: 'AWS_KINESISVIDEO_PRODUCER_TIMESTAMP', value: producer },
    { name: 'AWS_KINESISVIDEO_SERVER_SIDE_TIMESTAMP', value: server },
    { name: 'AWS_KINESISVIDEO_PRODUCER_SIDE_TIMESTAMP', value: producer },
  ]);
}

/** A whole Matroska stream of nothing but tags, in the place of a fragment: by the names that the service writes, and the documented ones. */
export function failureChunk(number: string, { id, code, message }: FragmentFailure): Buffer {
  const tags = writeTags([
    { name: 'AWS_KINESISVIDEO_ERROR_CODE', value: code },
    { name: 'AWS_KINESISVIDEO_ERROR_ID', value: String(id) },
    { name: 'AWS_KINESISVIDEO_FRAGMENT_NUMBER', value: number },
    { name: 'AWS_KINESISVIDEO_EXCEPTION_ERROR_CODE', value: String(id) },
    { name: 'AWS_KINESISVIDEO_EXCEPTION_MESSAGE', value: message },
  ]);
  return Buffer.concat([EBML_HEADER, OPEN_SEGMENT, tags]);
}

/** Seconds with three decimals. */
function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(3);
}

const DOC_TYPE_VERSION = 0x4287;
const DOC_TYPE_READ_VERSION = 0x4285;
const EBML_HEADER = writeElement(
  ELEMENT.ebml,
  [
    writeElement(ELEMENT.docType, [Buffer.from('matroska')], 1),
    writeElement(DOC_TYPE_VERSION, [Buffer.of(4)], 1),
    writeElement(DOC_TYPE_READ_VERSION, [Buffer.of(2)], 1),
  ],
  1,
);
