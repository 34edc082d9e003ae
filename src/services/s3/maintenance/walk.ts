import type { PartRow, S3Store, UploadRow } from '../store.ts';
import type { ObjectRow, VersionRow } from '../store.ts';

const PAGE = 200;

/**
 * Between pages, requests get their turn: reading records waits for nothing, and a walk over millions of them would
 * otherwise hold up everybody until its end.
 */
const turnOfOthers = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Every current object, in the order of bucket and key, without holding more than a page. */
export async function* allObjects(
  store: S3Store,
  bucket?: string,
  from = { bucket: bucket ?? '', key: '' },
): AsyncGenerator<ObjectRow> {
  let after = from;
  for (;;) {
    const page = await store.objectsAfter(after, bucket, PAGE);
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    after = { bucket: last.bucket, key: last.key };
    await turnOfOthers();
  }
}

/** Every version that is not current, and every delete marker. */
export async function* allVersions(
  store: S3Store,
  bucket?: string,
  from = { bucket: bucket ?? '', key: '', rank: 0 },
): AsyncGenerator<VersionRow> {
  let after = from;
  for (;;) {
    const page = await store.versions.after(after, bucket, PAGE);
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    after = { bucket: last.bucket, key: last.key, rank: last.rank };
    await turnOfOthers();
  }
}

/** Every upload that is not complete. */
export async function* allUploads(store: S3Store, bucket?: string): AsyncGenerator<UploadRow> {
  let after = '';
  for (;;) {
    const page = await store.uploadsAfter(after, PAGE);
    for (const upload of page) if (bucket === undefined || upload.bucket === bucket) yield upload;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    after = last.id;
    await turnOfOthers();
  }
}

/** Every part of every upload that is not complete. */
export async function* allParts(
  store: S3Store,
  bucket?: string,
): AsyncGenerator<{ readonly upload: UploadRow; readonly part: PartRow }> {
  for await (const upload of allUploads(store, bucket)) {
    for (const part of await store.listParts(upload.id, 0, 10_000)) yield { upload, part };
    await turnOfOthers();
  }
}
