import type { Records } from '#storage/records.ts';
import type { ArchiveTables, FragmentRow, IngestRow } from '../archive/fragment-store.ts';

const PAGE = 100;

/** The connections of a stream, whether or not their rows bear their seals. */
export async function* ingestsOf(records: Records<ArchiveTables>, stream: string): AsyncGenerator<IngestRow> {
  for (let after = ''; ; ) {
    const rows = await records.readUnchecked
      .selectFrom('kinesis_video_ingest')
      .selectAll()
      .where('stream', '=', stream)
      .where('id', '>', after)
      .orderBy('id')
      .limit(PAGE)
      .execute();
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return;
    after = last.id;
  }
}

/** The fragments of all streams, whether or not their rows bear their seals: stream by stream, in order. */
export async function* allFragments(records: Records<ArchiveTables>): AsyncGenerator<FragmentRow> {
  let after = { stream: '', number: '' };
  for (;;) {
    const { stream, number } = after;
    const rows = await records.readUnchecked
      .selectFrom('kinesis_video_fragment')
      .selectAll()
      .where((where) => where(where.refTuple('stream', 'number'), '>', where.tuple(stream, number)))
      .orderBy('stream')
      .orderBy('number')
      .limit(PAGE)
      .execute();
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return;
    after = last;
  }
}

export async function findIngest(records: Records<ArchiveTables>, id: string): Promise<IngestRow | undefined> {
  return await records.readUnchecked
    .selectFrom('kinesis_video_ingest')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirst();
}

export async function isFragmentThere(
  records: Records<ArchiveTables>,
  { stream, number }: Pick<FragmentRow, 'stream' | 'number'>,
): Promise<boolean> {
  const row = await records.readUnchecked
    .selectFrom('kinesis_video_fragment')
    .select('number')
    .where('stream', '=', stream)
    .where('number', '=', number)
    .executeTakeFirst();
  return row !== undefined;
}

export async function findBody(
  records: Records<ArchiveTables>,
  { stream, number }: Pick<FragmentRow, 'stream' | 'number'>,
): Promise<Uint8Array | undefined> {
  const row = await records.readUnchecked
    .selectFrom('kinesis_video_fragment_body')
    .select('body')
    .where('stream', '=', stream)
    .where('number', '=', number)
    .executeTakeFirst();
  return row?.body;
}
