import type { CompiledQuery, Kysely } from 'kysely';

/** A query that is built with Kysely, as `compile` takes it. */
interface Compilable<Row> {
  compile(): CompiledQuery<Row>;
}

/**
 * A query whose words are made once, for those that are asked at every turn: building one takes longer than running it.
 *
 * @param build with values of any kind in the places of its parameters
 */
export class PreparedQuery<Row> {
  readonly #compiled: CompiledQuery<Row>;

  constructor(build: Compilable<Row>) {
    this.#compiled = build.compile();
  }

  /** @param parameters in the order in which they stand in the query */
  async all<Tables>(queries: Kysely<Tables>, ...parameters: readonly unknown[]): Promise<Row[]> {
    if (parameters.length !== this.#compiled.parameters.length) throw new TypeError('A parameter is missing.');
    const query: CompiledQuery<Row> = { ...this.#compiled, parameters };
    return (await queries.executeQuery<Row>(query)).rows;
  }

  async first<Tables>(queries: Kysely<Tables>, ...parameters: readonly unknown[]): Promise<Row | undefined> {
    return (await this.all(queries, ...parameters))[0];
  }
}
