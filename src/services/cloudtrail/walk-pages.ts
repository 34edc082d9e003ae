/**
 * Rows page by page, each page from where the one before has ended. Others have their turns in between.
 *
 * @param next the rows after this one, or the first ones; none at the end
 */
export async function* walkPages<Row>(next: (after: Row | undefined) => Promise<readonly Row[]>): AsyncGenerator<Row> {
  let after: Row | undefined;
  do {
    const page = await next(after);
    for (const row of page) {
      yield row;
      await new Promise(setImmediate);
    }
    after = page.at(-1);
  } while (after !== undefined);
}
