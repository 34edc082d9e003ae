import { CpixError } from '#media/cpix/cpix-error.ts';
import { parseXml, XmlError } from '#kernel/xml-document.ts';

/** Prefixes that providers write without saying what they stand for. */
const NAMESPACES: Readonly<Record<string, string>> = {
  cenc: 'urn:mpeg:cenc:2013',
  mspr: 'urn:microsoft:playready',
  dashif: 'https://dashif.org/CPS',
  clearkey: 'http://dashif.org/guidelines/clearKey',
};

/**
 * What a provider wants within a `ContentProtection` element, as it can stand there: elements and nothing that could end
 * the element or stand for something else.
 *
 * @throws CpixError
 */
export function parsedDashContent(content: string): string {
  const text = content.replace(/^\uFEFF?\s*<\?xml[^>]*\?>/, '').trim();
  if (/<[!?]|\p{Cs}/u.test(text)) throw new CpixError('ContentProtectionData has something else than elements.');
  try {
    parseXml(Buffer.from(`<content>${text}</content>`));
  } catch (error) {
    if (error instanceof XmlError) throw new CpixError(`ContentProtectionData is no XML: ${error.message}`);
    throw error;
  }
  // Declared at each element that stands there by itself; what is declared already stays. In one pass, as the answer of a
  // provider may be long and made to be slow.
  const missing = new Map(Object.entries(NAMESPACES).filter(([prefix]) => !text.includes(`xmlns:${prefix}=`)));
  return text.replace(/<([\w-]+):[\w-]+(?=[\s/>])/g, (whole, prefix: string) => {
    const namespace = missing.get(prefix);
    return namespace === undefined ? whole : `${whole} xmlns:${prefix}="${namespace}"`;
  });
}
