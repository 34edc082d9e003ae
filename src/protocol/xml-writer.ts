import type { NormalizedSchema } from '@smithy/core/schema';
import { escapeText } from '#kernel/escape-xml.ts';
import { base64Of, unfit } from './json-writer.ts';
import { asRecord, compilePerSchema } from './per-schema.ts';
import { formatTimestamp, timestampFormatOf } from './scalars.ts';

/** Writes one value as the element `tag`; `attributes` begins with a space where there are any. */
export type XmlWriter = (value: unknown, tag: string, attributes: string) => string;

export const XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';

/**
 * Makes writers of XML elements. Members that are absent or null are left out.
 *
 * @param hasMilliseconds whether timestamps always show them, as S3's do; IAM's and STS's show them only when not zero
 */
export function xmlWriters(hasMilliseconds: boolean): (schema: NormalizedSchema) => XmlWriter {
  return compilePerSchema<[unknown, string, string], string>((schema, compile) => {
    if (schema.isStructSchema()) return structureWriter(schema, schema.structIterator(), compile);
    if (schema.isListSchema()) return listWriter(schema, compile);
    if (schema.isMapSchema()) return mapWriter(schema, compile);
    return scalarWriter(textOf(schema, hasMilliseconds));
  });
}

function scalarWriter(text: (value: unknown) => string): XmlWriter {
  return (value, tag, attributes) => `<${tag}${attributes}>${text(value)}</${tag}>`;
}

function textOf(schema: NormalizedSchema, hasMilliseconds: boolean): (value: unknown) => string {
  if (schema.isStringSchema()) {
    return (value) => (typeof value === 'string' ? escapeText(value) : unfit(schema, value));
  }
  if (schema.isBlobSchema()) return (value) => (value instanceof Uint8Array ? base64Of(value) : unfit(schema, value));
  if (schema.isTimestampSchema()) {
    const format = timestampFormatOf(schema.getSchema(), 'date-time');
    return (value) => {
      if (!(value instanceof Date)) return unfit(schema, value);
      const text = formatTimestamp(value, format);
      return hasMilliseconds ? text : text.replace('.000Z', 'Z');
    };
  }
  return (value) => (typeof value === 'number' || typeof value === 'boolean' ? String(value) : unfit(schema, value));
}

/** Writes the given members of a structure; with a REST binding these are only some of an output's. */
export function structureWriter(
  schema: NormalizedSchema,
  memberSchemas: Iterable<readonly [string, NormalizedSchema]>,
  compile: (schema: NormalizedSchema) => XmlWriter,
): XmlWriter {
  const members: { readonly name: string; readonly write: (value: unknown) => string }[] = [];
  const attributeMembers: { readonly name: string; readonly wireName: string }[] = [];
  for (const [name, member] of memberSchemas) {
    const wireName = member.getMemberTraits().xmlName ?? name;
    if (member.getMergedTraits().xmlAttribute) attributeMembers.push({ name, wireName });
    else members.push({ name, write: memberWriter(member, wireName, compile) });
  }
  return (value, tag, attributes) => {
    const source = asRecord(value) ?? unfit(schema, value);
    let head = attributes;
    for (const { name, wireName } of attributeMembers) {
      const given = source[name];
      if (typeof given === 'string') head += ` ${wireName}="${escapeText(given)}"`;
    }
    let content = '';
    for (const { name, write } of members) {
      const given = source[name];
      if (given !== undefined && given !== null) content += write(given);
    }
    return `<${tag}${head}>${content}</${tag}>`;
  };
}

/** Writes a member with its own name and namespace; a flattened list as one element for each item. */
function memberWriter(
  member: NormalizedSchema,
  wireName: string,
  compile: (schema: NormalizedSchema) => XmlWriter,
): (value: unknown) => string {
  const traits = member.getMergedTraits();
  const attributes = namespaceAttribute(traits.xmlNamespace);
  if (traits.xmlFlattened && member.isListSchema()) {
    const writeItem = compile(member.getValueSchema());
    return (value) => {
      if (!Array.isArray(value)) return unfit(member, value);
      let text = '';
      for (const item of value) text += writeItem(item, wireName, attributes);
      return text;
    };
  }
  const write = compile(member);
  return (value) => write(value, wireName, attributes);
}

function listWriter(schema: NormalizedSchema, compile: (schema: NormalizedSchema) => XmlWriter): XmlWriter {
  const item = schema.getValueSchema();
  const traits = item.getMergedTraits();
  const itemName = traits.xmlName ?? 'member';
  const itemAttributes = namespaceAttribute(traits.xmlNamespace);
  const writeItem = compile(item);
  return (value, tag, attributes) => {
    if (!Array.isArray(value)) return unfit(schema, value);
    let content = '';
    for (const entry of value) content += writeItem(entry, itemName, itemAttributes);
    return `<${tag}${attributes}>${content}</${tag}>`;
  };
}

function mapWriter(schema: NormalizedSchema, compile: (schema: NormalizedSchema) => XmlWriter): XmlWriter {
  const keyName = schema.getKeySchema().getMergedTraits().xmlName ?? 'key';
  const valueName = schema.getValueSchema().getMergedTraits().xmlName ?? 'value';
  const writeValue = compile(schema.getValueSchema());
  return (value, tag, attributes) => {
    let content = '';
    for (const [key, entry] of Object.entries(asRecord(value) ?? unfit(schema, value))) {
      if (entry === undefined || entry === null) continue;
      content += `<entry><${keyName}>${escapeText(key)}</${keyName}>${writeValue(entry, valueName, '')}</entry>`;
    }
    return `<${tag}${attributes}>${content}</${tag}>`;
  };
}

/** The attribute that declares a namespace, with a space before it. */
function namespaceAttribute(namespace: readonly [string, string] | undefined): string {
  if (namespace === undefined) return '';
  const [prefix, uri] = namespace;
  return prefix === '' ? ` xmlns="${escapeText(uri)}"` : ` xmlns:${prefix}="${escapeText(uri)}"`;
}
