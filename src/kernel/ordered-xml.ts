import { XMLParser, XMLValidator } from 'fast-xml-parser';

/** The names that nodes have beside those of elements. */
export const TEXT = '#text';
export const CDATA = '#cdata';
export const ATTRIBUTES = ':@';

/**
 * Makes a reader of XML into nodes in their order, each `{ name: children, ':@': attributes }`, `{ '#text': … }` or
 * `{ '#cdata': … }`. It gives `undefined` for what is not well-formed or nests too deeply.
 *
 * INVARIANT: no entity is expanded, so that none can grow or fetch anything; whoever takes the text decodes the few that
 * it knows.
 */
export function orderedXmlReader(maxDepth: number): (text: string) => readonly unknown[] | undefined {
  const parser = new XMLParser({
    preserveOrder: true,
    ignoreAttributes: false,
    attributeNamePrefix: '',
    parseTagValue: false,
    parseAttributeValue: false,
    trimValues: false,
    processEntities: false,
    textNodeName: TEXT,
    cdataPropName: CDATA,
    ignoreDeclaration: true,
    ignorePiTags: true,
    maxNestedTags: maxDepth,
  });
  return (text) => {
    try {
      if (XMLValidator.validate(text) !== true) return undefined;
      const nodes: unknown = parser.parse(text);
      return Array.isArray(nodes) ? nodes : [];
    } catch {
      return undefined;
    }
  };
}

/** A name without its namespace prefix. */
export function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}
