import { isUtf8 } from 'node:buffer';
import { ATTRIBUTES, CDATA, localName, orderedXmlReader, TEXT } from './ordered-xml.ts';

/** A document that is not XML as we take it. */
export class XmlError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'XmlError';
  }
}

/** An element of a document. Names are without their namespace prefix. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  /** The element's own text, comments left out and CDATA put in. */
  readonly text: string;
}

const MAX_DEPTH = 64;
const readNodes = orderedXmlReader(MAX_DEPTH);

/**
 * Parses a document into its root element. It is read whole: the caller bounds its size.
 *
 * @throws XmlError when it is not well-formed XML in UTF-8, has a document type, or nests too deeply
 */
export function parseXml(body: Buffer): XmlElement {
  if (!isUtf8(body)) throw new XmlError('The XML is not valid UTF-8');
  const text = body.toString('utf8');
  if (/<!DOCTYPE/i.test(text)) throw new XmlError('The XML has a document type declaration');
  const nodes = readNodes(text);
  if (nodes === undefined) throw new XmlError('The XML is not well-formed');
  const roots = nodes.map(elementOf).filter((element) => element !== undefined);
  const [root] = roots;
  if (root === undefined || roots.length > 1) throw new XmlError('The XML must have one root element');
  return root;
}

/** Turns the parser's form of a node, `{ name: children, ':@': attributes }`, into an element. */
function elementOf(node: unknown): XmlElement | undefined {
  const source = asRecord(node);
  if (source === undefined) return undefined;
  for (const key of Object.keys(source)) {
    if (key === ATTRIBUTES || key === TEXT || key === CDATA) continue;
    const children: XmlElement[] = [];
    const content = source[key];
    let text = '';
    for (const child of Array.isArray(content) ? content : []) {
      const element = elementOf(child);
      if (element === undefined) text += textOf(child);
      else children.push(element);
    }
    const attributes = new Map<string, string>();
    for (const [name, value] of Object.entries(asRecord(source[ATTRIBUTES]) ?? {})) {
      attributes.set(localName(name), decodeEntities(String(value)));
    }
    return { name: localName(key), attributes, children, text };
  }
  return undefined;
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
}

function textOf(node: unknown): string {
  const source = asRecord(node);
  if (source === undefined) return '';
  const text = source[TEXT];
  if (typeof text === 'string') return decodeEntities(text);
  const cdata = source[CDATA];
  let content = '';
  for (const part of Array.isArray(cdata) ? cdata : []) {
    const piece = asRecord(part)?.[TEXT];
    if (typeof piece === 'string') content += piece;
  }
  return content;
}

const NAMED: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function decodeEntities(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(/&([^;&]{0,12});?/g, (whole: string, name: string) => {
    const named = Object.hasOwn(NAMED, name) ? NAMED[name] : undefined;
    if (whole.endsWith(';') && named !== undefined) return named;
    const match = /^#(?:x([0-9a-fA-F]{1,6})|(\d{1,7}))$/.exec(name);
    if (match === null || !whole.endsWith(';')) throw new XmlError('The XML refers to an unknown entity');
    const code = match[1] === undefined ? Number(match[2]) : Number.parseInt(match[1], 16);
    if (code === 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
      throw new XmlError('The XML refers to a character that does not exist');
    }
    return String.fromCodePoint(code);
  });
}
