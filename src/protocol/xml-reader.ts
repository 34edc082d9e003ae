import type { NormalizedSchema } from '@smithy/core/schema';
import { localName } from '#kernel/ordered-xml.ts';
import type { XmlElement } from '#kernel/xml-document.ts';
import { DecodeFailure, failureWithin } from './decode-failure.ts';
import { compilePerSchema, setEntry } from './per-schema.ts';
import { parseBase64, parseBoolean, parseNumber, parseTimestamp, timestampFormatOf } from './scalars.ts';

type XmlReader = (element: XmlElement) => unknown;

interface MemberReader {
  readonly name: string;
  readonly wireName: string;
  readonly isRepeated: boolean;
  readonly read: XmlReader;
}

/** Makes readers of XML elements. Elements that the schema does not know are ignored, as AWS does. */
export function xmlReaders(): (schema: NormalizedSchema) => XmlReader {
  return compilePerSchema<[XmlElement], unknown>((schema, compile) => {
    if (schema.isStructSchema()) return structureReader(schema.structIterator(), compile);
    if (schema.isListSchema()) return listReader(schema, compile);
    if (schema.isMapSchema()) return mapReader(schema, compile);
    if (schema.isStringSchema()) return scalarText;
    if (schema.isBooleanSchema()) return (element) => parseBoolean(scalarText(element).trim());
    if (schema.isNumericSchema()) return (element) => parseNumber(scalarText(element).trim());
    if (schema.isBlobSchema()) return (element) => parseBase64(scalarText(element).trim());
    if (schema.isTimestampSchema()) {
      const format = timestampFormatOf(schema.getSchema(), 'date-time');
      return (element) => parseTimestamp(scalarText(element), format);
    }
    throw new Error(`XML can not carry ${schema.getName() ?? 'this schema'}.`);
  });
}

function scalarText(element: XmlElement): string {
  if (element.children.length > 0) throw new DecodeFailure('Elements stand where text was expected');
  return element.text;
}

/** Reads a structure of the given members; with a REST binding these are only some of an input's. */
export function structureReader(
  memberSchemas: Iterable<readonly [string, NormalizedSchema]>,
  compile: (schema: NormalizedSchema) => XmlReader,
): (element: XmlElement) => Record<string, unknown> {
  const members = new Map<string, MemberReader>();
  const attributes: { readonly name: string; readonly wireName: string }[] = [];
  for (const [name, member] of memberSchemas) {
    const traits = member.getMergedTraits();
    // The xmlName of a member's target names the root element of a document, not the member.
    const wireName = localName(member.getMemberTraits().xmlName ?? name);
    if (traits.xmlAttribute) {
      attributes.push({ name, wireName });
    } else if (traits.xmlFlattened && member.isListSchema()) {
      members.set(wireName, { name, wireName, isRepeated: true, read: compile(member.getValueSchema()) });
    } else {
      members.set(wireName, { name, wireName, isRepeated: false, read: compile(member) });
    }
  }
  return (element) => {
    const result: Record<string, unknown> = {};
    for (const { name, wireName } of attributes) {
      const value = element.attributes.get(wireName);
      if (value !== undefined) result[name] = value;
    }
    const lists = new Map<string, unknown[]>();
    for (const child of element.children) {
      const member = members.get(child.name);
      if (member === undefined) continue;
      try {
        if (member.isRepeated) {
          const items = lists.get(member.name) ?? [];
          items.push(member.read(child));
          lists.set(member.name, items);
        } else if (Object.hasOwn(result, member.name)) {
          throw new DecodeFailure('The element stands more than once');
        } else {
          result[member.name] = member.read(child);
        }
      } catch (error) {
        throw failureWithin(member.wireName, error);
      }
    }
    for (const [name, items] of lists) result[name] = items;
    return result;
  };
}

function listReader(schema: NormalizedSchema, compile: (schema: NormalizedSchema) => XmlReader): XmlReader {
  const item = schema.getValueSchema();
  const itemName = localName(item.getMergedTraits().xmlName ?? 'member');
  const readItem = compile(item);
  return (element) => {
    const items: unknown[] = [];
    for (const child of element.children) {
      if (child.name !== itemName) continue;
      try {
        items.push(readItem(child));
      } catch (error) {
        throw failureWithin(itemName, error);
      }
    }
    return items;
  };
}

function mapReader(schema: NormalizedSchema, compile: (schema: NormalizedSchema) => XmlReader): XmlReader {
  const keyName = localName(schema.getKeySchema().getMergedTraits().xmlName ?? 'key');
  const valueName = localName(schema.getValueSchema().getMergedTraits().xmlName ?? 'value');
  const readValue = compile(schema.getValueSchema());
  return (element) => {
    const result: Record<string, unknown> = {};
    for (const entry of element.children) {
      if (entry.name !== 'entry') continue;
      const key = entry.children.find((child) => child.name === keyName);
      const value = entry.children.find((child) => child.name === valueName);
      if (key === undefined || value === undefined) throw new DecodeFailure('A map entry lacks its key or value');
      setEntry(result, scalarText(key), readValue(value));
    }
    return result;
  };
}
