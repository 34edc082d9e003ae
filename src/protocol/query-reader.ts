import type { NormalizedSchema } from '@smithy/core/schema';
import { DecodeFailure, failureWithin } from './decode-failure.ts';
import { compilePerSchema, setEntry } from './per-schema.ts';
import type { QueryParameters } from './query-parameters.ts';
import { checkText, parseBase64, parseBoolean, parseNumber, parseTimestamp, timestampFormatOf } from './scalars.ts';

/** Parameters such as `Tags.member.1.Key`, put into the tree that their names spell. */
interface ParameterNode {
  value: string | undefined;
  readonly children: Map<string, ParameterNode>;
}

type QueryReader = (node: ParameterNode) => unknown;

const MAX_DEPTH = 32;

/** @throws DecodeFailure when a name nests too deeply or stands twice */
export function parameterTree(parameters: QueryParameters): ParameterNode {
  const root: ParameterNode = { value: undefined, children: new Map() };
  for (const [name, values] of parameters) {
    if (values.length > 1) throw new DecodeFailure(`The parameter ${name.slice(0, 128)} stands more than once`);
    const segments = name.split('.', MAX_DEPTH + 1);
    if (segments.length > MAX_DEPTH) throw new DecodeFailure('A parameter name has too many parts');
    let node = root;
    for (const segment of segments) {
      let next = node.children.get(segment);
      if (next === undefined) {
        next = { value: undefined, children: new Map() };
        node.children.set(segment, next);
      }
      node = next;
    }
    node.value = values[0];
  }
  return root;
}

/** Makes readers of awsQuery inputs. Parameters that the schema does not know are ignored, as AWS does. */
export function queryReaders(): (schema: NormalizedSchema) => QueryReader {
  return compilePerSchema<[ParameterNode], unknown>((schema, compile) => {
    if (schema.isStructSchema()) return structureReader(schema, compile);
    if (schema.isListSchema()) return listReader(schema, compile);
    if (schema.isMapSchema()) return mapReader(schema, compile);
    if (schema.isStringSchema()) return (node) => checkText(textOf(node));
    if (schema.isBooleanSchema()) return (node) => parseBoolean(textOf(node));
    if (schema.isNumericSchema()) return (node) => parseNumber(textOf(node));
    if (schema.isBlobSchema()) return (node) => parseBase64(textOf(node));
    if (schema.isTimestampSchema()) {
      const format = timestampFormatOf(schema.getSchema(), 'date-time');
      return (node) => parseTimestamp(textOf(node), format);
    }
    throw new Error(`The query protocol can not carry ${schema.getName() ?? 'this schema'}.`);
  });
}

function textOf(node: ParameterNode): string {
  if (node.value === undefined || node.children.size > 0) throw new DecodeFailure('A single value was expected');
  return node.value;
}

function structureReader(schema: NormalizedSchema, compile: (schema: NormalizedSchema) => QueryReader): QueryReader {
  const members: { readonly name: string; readonly wireName: string; readonly read: QueryReader }[] = [];
  for (const [name, member] of schema.structIterator()) {
    const traits = member.getMergedTraits();
    const isFlattened = Boolean(traits.xmlFlattened) && member.isListSchema();
    const read = isFlattened ? itemsReader(compile(member.getValueSchema())) : compile(member);
    members.push({ name, wireName: member.getMemberTraits().xmlName ?? name, read });
  }
  return (node) => {
    const result: Record<string, unknown> = {};
    for (const { name, wireName, read } of members) {
      const child = node.children.get(wireName);
      if (child === undefined) continue;
      try {
        result[name] = read(child);
      } catch (error) {
        throw failureWithin(wireName, error);
      }
    }
    return result;
  };
}

function listReader(schema: NormalizedSchema, compile: (schema: NormalizedSchema) => QueryReader): QueryReader {
  const item = schema.getValueSchema();
  const itemName = item.getMergedTraits().xmlName ?? 'member';
  const readItems = itemsReader(compile(item));
  return (node) => {
    const items = node.children.get(itemName);
    if (items !== undefined) return readItems(items);
    // An empty list is sent as `Tags=`.
    if (node.children.size > 0 || node.value !== '') throw new DecodeFailure('A list was expected');
    return [];
  };
}

const INDEX = /^[1-9]\d{0,8}$/;

/** Items stand in the order of their indexes; gaps between them do not matter. */
function itemsReader<Item>(readItem: (node: ParameterNode) => Item): (node: ParameterNode) => Item[] {
  return (node) => {
    const indexes: number[] = [];
    for (const key of node.children.keys()) {
      if (!INDEX.test(key)) throw new DecodeFailure(`'${key.slice(0, 64)}' is not the index of a list`);
      indexes.push(Number(key));
    }
    indexes.sort((a, b) => a - b);
    const items: Item[] = [];
    for (const index of indexes) {
      const child = node.children.get(String(index));
      try {
        if (child !== undefined) items.push(readItem(child));
      } catch (error) {
        throw failureWithin(index, error);
      }
    }
    return items;
  };
}

function mapReader(schema: NormalizedSchema, compile: (schema: NormalizedSchema) => QueryReader): QueryReader {
  const keyName = schema.getKeySchema().getMergedTraits().xmlName ?? 'key';
  const valueName = schema.getValueSchema().getMergedTraits().xmlName ?? 'value';
  const readValue = compile(schema.getValueSchema());
  const readEntries = itemsReader((entry) => {
    const key = entry.children.get(keyName);
    const value = entry.children.get(valueName);
    if (key === undefined || value === undefined) throw new DecodeFailure('A map entry lacks its key or value');
    return { key: textOf(key), value: readValue(value) };
  });
  return (node) => {
    const result: Record<string, unknown> = {};
    for (const { key, value } of readEntries(node.children.get('entry') ?? node)) setEntry(result, key, value);
    return result;
  };
}
