import { parseXml, type XmlElement, XmlError } from '#kernel/xml-document.ts';
import { CpixError } from './cpix-error.ts';

/** Longer documents are none of SPEKE's: with all keys and systems that it knows they stay below a tenth of that. */
const MAX_DOCUMENT = 1024 * 1024;

/** @throws CpixError when it is not XML, too long, or no CPIX document */
export function rootOf(document: Buffer): XmlElement {
  if (document.length > MAX_DOCUMENT) throw new CpixError('The CPIX document is too long');
  let root: XmlElement;
  try {
    root = parseXml(document);
  } catch (error) {
    throw error instanceof XmlError ? new CpixError(error.message) : error;
  }
  if (root.name !== 'CPIX') throw new CpixError('The document is no CPIX document');
  return root;
}

/** @throws CpixError when there are several of that name */
export function childOf(parent: XmlElement, name: string): XmlElement | undefined {
  const found = parent.children.filter((child) => child.name === name);
  if (found.length > 1) throw new CpixError(`${parent.name} has more than one ${name}`);
  return found[0];
}

/** The children of that name, in order; none where the list itself is absent. */
export function listOf(parent: XmlElement, listName: string, itemName: string, most: number): readonly XmlElement[] {
  const items = childOf(parent, listName)?.children.filter((child) => child.name === itemName) ?? [];
  if (items.length > most) throw new CpixError(`${listName} has more than ${most} ${itemName} elements`);
  return items;
}

/** @throws CpixError where the attribute is absent, empty or longer than any that SPEKE has */
export function attributeOf(element: XmlElement, name: string): string {
  const value = element.attributes.get(name)?.trim() ?? '';
  if (value === '') throw new CpixError(`Missing ${element.name}@${name}`);
  if (value.length > 256) throw new CpixError(`${element.name}@${name} is too long`);
  return value;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** In lower case. */
export function uuidOf(element: XmlElement, name: string): string {
  const value = attributeOf(element, name).toLowerCase();
  if (!UUID.test(value)) throw new CpixError(`${element.name}@${name} is no UUID`);
  return value;
}

/** @param what how an error names it, never with its value */
export function bytesOf(base64: string, what: string): Buffer {
  const text = base64.replace(/\s+/g, '');
  if (text === '' || text.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) {
    throw new CpixError(`${what} is not base64`);
  }
  return Buffer.from(text, 'base64');
}
