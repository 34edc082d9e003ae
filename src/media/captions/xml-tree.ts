import { ATTRIBUTES, CDATA, localName, orderedXmlReader, TEXT } from '#kernel/ordered-xml.ts';
import { CaptionError } from './caption-error.ts';
import { decodeEntities } from './styled-text.ts';

/** An element, without its children's order lost: text stands between elements. Names have no prefixes. */
export interface XmlNode {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly (XmlNode | string)[];
}

const MOST_DEPTH = 48;
const readNodes = orderedXmlReader(MOST_DEPTH);

/** @throws CaptionError when it is not well-formed, has a document type, or nests too deeply */
export function parseXmlTree(text: string): XmlNode {
  const source = text.replace(/^\ufeff/, '').trimStart();
  if (/<!DOCTYPE|<!ENTITY/i.test(source)) {
    throw new CaptionError('The caption file is XML with a document type declaration, which is not read');
  }
  const nodes = readNodes(source);
  if (nodes === undefined) throw new CaptionError('The caption file is not well-formed XML');
  const roots = nodes.map((node) => nodeOf(node, 0)).filter((node) => typeof node === 'object');
  const [root] = roots;
  if (root === undefined) throw new CaptionError('The caption file is XML without an element');
  return root;
}

/** Turns the parser's form, `{ name: children, ':@': attributes }`, into ours. */
function nodeOf(node: unknown, depth: number): XmlNode | string | undefined {
  if (typeof node !== 'object' || node === null) return undefined;
  if (depth > MOST_DEPTH) throw new CaptionError('The caption file nests its elements too deeply');
  const source = node as Readonly<Record<string, unknown>>;
  if (TEXT in source) return decodeEntities(String(source[TEXT]));
  if (CDATA in source) return textIn(source[CDATA]);
  const key = Object.keys(source).find((name) => name !== ATTRIBUTES);
  if (key === undefined) return undefined;
  const attributes = new Map<string, string>();
  for (const [name, value] of Object.entries(source[ATTRIBUTES] ?? {})) {
    attributes.set(localName(name), decodeEntities(String(value)));
  }
  const content = source[key];
  const children = (Array.isArray(content) ? content : [])
    .map((child) => nodeOf(child, depth + 1))
    .filter((child) => child !== undefined);
  return { name: localName(key), attributes, children };
}

function textIn(value: unknown): string {
  if (!Array.isArray(value)) return '';
  return value
    .map((part: unknown) => (typeof part === 'object' && part !== null && TEXT in part ? String(part[TEXT]) : ''))
    .join('');
}

export function childrenOf(node: XmlNode | undefined, name?: string): XmlNode[] {
  const elements = (node?.children ?? []).filter((child) => typeof child === 'object');
  return name === undefined ? elements : elements.filter((child) => child.name === name);
}

export function childOf(node: XmlNode | undefined, name: string): XmlNode | undefined {
  return childrenOf(node, name)[0];
}
