// oxlint-disable-next-line no-control-regex -- they are what must not get through
const SPECIAL = /[&<>"\u0000-\u001f\u007f-\u009f\u2028\u2029\ufffe\uffff]/;
// oxlint-disable-next-line no-control-regex -- they are what must not get through
const ALL_SPECIAL = /[&<>"\u0000-\u001f\u007f-\u009f\u2028\u2029\ufffe\uffff]/g;
const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/**
 * Text for an element or an attribute. Control characters become numeric references, as in S3's listings: XML 1.0 has
 * no form for most of them, and clients that must have them ask for `encoding-type=url`.
 */
export function escapeText(text: string): string {
  if (!SPECIAL.test(text)) return text;
  return text.replace(ALL_SPECIAL, (char) => ENTITIES[char] ?? `&#x${char.charCodeAt(0).toString(16)};`);
}
