import {
  AliasNode,
  ColumnNode,
  ColumnUpdateNode,
  FunctionNode,
  IdentifierNode,
  type InsertQueryNode,
  OnConflictNode,
  type OperationNode,
  ParensNode,
  PrimitiveValueListNode,
  RawNode,
  ReferenceNode,
  type SelectQueryNode,
  SqliteQueryCompiler,
  TableNode,
  type UpdateQueryNode,
  ValueListNode,
  ValueNode,
  ValuesNode,
  WhereNode,
} from 'kysely';
import { type ColumnValue, SEAL_COLUMN } from '../row-seal.ts';
import { CHECK_FUNCTION, RENEW_FUNCTION, type SealedTable, type SealedTables } from './sealed-tables.ts';

/**
 * Compiles queries so that the rows of sealed tables are sealed when they are written and checked when they are read.
 *
 * INVARIANT: it sees every query that is built with Kysely, joins and subqueries included, so that no place that reads
 * or writes can forget the seal. A write that it cannot seal is refused.
 */
export class SealingQueryCompiler extends SqliteQueryCompiler {
  readonly #tables: SealedTables;

  constructor(tables: SealedTables) {
    super();
    this.#tables = tables;
  }

  protected override visitSelectQuery(node: SelectQueryNode): void {
    const sources = [...(node.from?.froms ?? []), ...(node.joins ?? []).map((join) => join.table)];
    let where = node.where;
    for (const source of sources) {
      const found = this.#sealed(source);
      if (found === undefined) continue;
      const check = checkOf(found.table, found.alias);
      // The check comes last: it is made on rows that are asked for, not on every one that is looked at.
      where =
        where === undefined
          ? WhereNode.create(check)
          : WhereNode.cloneWithOperation(WhereNode.create(ParensNode.create(where.where)), 'And', check);
    }
    super.visitSelectQuery(where === undefined ? node : { ...node, where });
  }

  protected override visitInsertQuery(node: InsertQueryNode): void {
    const found = node.into && this.#sealed(node.into);
    if (found === undefined) return super.visitInsertQuery(node);
    const { table } = found;
    const { columns, values, onConflict } = node;
    if (columns === undefined || values === undefined || !ValuesNode.is(values)) throw cannotSeal(table);
    const names = columns.map((column) => column.column.name);
    const rows = values.values.map((item) => this.#sealItem(table, names, item));
    super.visitInsertQuery({
      ...node,
      columns: [...columns, ColumnNode.create(SEAL_COLUMN)],
      values: ValuesNode.create(rows),
      ...(onConflict?.updates && {
        onConflict: OnConflictNode.cloneWith(onConflict, {
          updates: withRenewal(table, table.name, onConflict.updates),
        }),
      }),
    });
  }

  protected override visitUpdateQuery(node: UpdateQueryNode): void {
    const found = node.table && this.#sealed(node.table);
    if (found === undefined) return super.visitUpdateQuery(node);
    super.visitUpdateQuery({ ...node, updates: withRenewal(found.table, found.alias, node.updates ?? []) });
  }

  #sealed(source: OperationNode): { readonly table: SealedTable; readonly alias: string } | undefined {
    if (TableNode.is(source)) {
      const table = this.#tables.find(source.table.identifier.name);
      return table && { table, alias: table.name };
    }
    if (!AliasNode.is(source) || !TableNode.is(source.node)) return undefined;
    const table = this.#tables.find(source.node.table.identifier.name);
    if (table === undefined) return undefined;
    if (!IdentifierNode.is(source.alias)) throw cannotSeal(table);
    return { table, alias: source.alias.name };
  }

  #sealItem(table: SealedTable, names: readonly string[], item: OperationNode): ValueListNode {
    const given = itemValues(table, item);
    const byName = new Map(names.map((name, index) => [name, given[index]]));
    const values = table.columns.map((column) => columnValue(table, byName.get(column)));
    // A column that the table does not have, or the seal itself.
    if (names.some((name) => !table.columns.includes(name))) throw cannotSeal(table);
    return ValueListNode.create(
      [...given, this.#tables.sealRow(table, values)].map((value) => ValueNode.create(value)),
    );
  }
}

/** In a subquery of its own, which SQLite leaves until the other conditions hold. */
function checkOf(table: SealedTable, alias: string): OperationNode {
  const columns = [...table.columns, SEAL_COLUMN].map((column) => reference(alias, column));
  const call = FunctionNode.create(CHECK_FUNCTION, [ValueNode.createImmediate(table.name), ...columns]);
  return RawNode.create(['(select ', ')'], [call]);
}

function withRenewal(
  table: SealedTable,
  alias: string,
  updates: readonly ColumnUpdateNode[],
): readonly ColumnUpdateNode[] {
  const changed = new Map<string, OperationNode>();
  for (const { column, value } of updates) {
    if (!ColumnNode.is(column) || column.column.name === SEAL_COLUMN) throw cannotSeal(table);
    changed.set(column.column.name, value);
  }
  const old = [...table.columns, SEAL_COLUMN].map((column) => reference(alias, column));
  const renewed = table.columns.map((column) => changed.get(column) ?? reference(alias, column));
  const call = FunctionNode.create(RENEW_FUNCTION, [ValueNode.createImmediate(table.name), ...old, ...renewed]);
  return [...updates, ColumnUpdateNode.create(ColumnNode.create(SEAL_COLUMN), call)];
}

function reference(alias: string, column: string): OperationNode {
  return ReferenceNode.create(ColumnNode.create(column), TableNode.create(alias));
}

function itemValues(table: SealedTable, item: OperationNode): readonly unknown[] {
  if (PrimitiveValueListNode.is(item)) return item.values;
  if (!ValueListNode.is(item)) throw cannotSeal(table);
  return item.values.map((value) => {
    if (!ValueNode.is(value)) throw cannotSeal(table);
    return value.value;
  });
}

function columnValue(table: SealedTable, value: unknown): ColumnValue {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'bigint':
    case 'boolean':
      return value;
    case 'undefined':
      return null;
    default:
      if (value === null || value instanceof Uint8Array) return value;
      throw cannotSeal(table);
  }
}

function cannotSeal(table: SealedTable): Error {
  return new TypeError(`A change of ${table.name} is written in a way that its rows cannot be sealed in.`);
}
