import { verify as verifyValue } from 'node:crypto';
import { DOMParser } from '@xmldom/xmldom';
import { SignedXml } from 'xml-crypto';
import { parseXml, type XmlElement } from '#kernel/xml-document.ts';

const SIGNATURE = 'http://www.w3.org/2000/09/xmldsig#';
const ASSERTION_NAMESPACE = 'urn:oasis:names:tc:SAML:2.0:assertion';
const PROTOCOL_NAMESPACE = 'urn:oasis:names:tc:SAML:2.0:protocol';
/** INVARIANT: neither SHA-1 nor HMAC is here, nor a transform that could change what a signature is about. */
const SIGNATURE_ALGORITHMS = [
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512',
];
const DIGESTS = ['http://www.w3.org/2001/04/xmlenc#sha256', 'http://www.w3.org/2001/04/xmlenc#sha512'];
const EXCLUSIVE = 'http://www.w3.org/2001/10/xml-exc-c14n#';
const TRANSFORMS = ['http://www.w3.org/2000/09/xmldsig#enveloped-signature', EXCLUSIVE];

/** Of a whole response: some hundreds are usual. Canonical form takes time that grows faster than the document. */
const MAX_ELEMENTS = 2000;
const MAX_ATTRIBUTES = 50;

/** The response is not signed, or not by one of the keys, or not in a form that is taken. The message is for clients. */
export class SignatureError extends Error {}

interface SignatureNode {
  readonly parentNode: unknown;
}

/**
 * The one assertion of a SAML response, as far as a signature covers it: read from the very bytes that were signed, and
 * from nothing else, so that whatever stands around or beside it in the document is not believed.
 *
 * @param text the response, already known to be well-formed, of bounded size and depth, without declarations, comments
 *   and CDATA
 * @param keys public keys in PEM
 * @throws SignatureError
 */
export function signedAssertion(text: string, response: XmlElement, keys: readonly string[]): XmlElement {
  checkForm(response);
  const document: unknown = new DOMParser({ errorHandler: { error: fail, fatalError: fail } }).parseFromString(text);
  const root = (document as { readonly documentElement: ElementNode }).documentElement;
  const signatures = Array.from(root.getElementsByTagNameNS(SIGNATURE, 'Signature'));
  if (signatures.length === 0) throw new SignatureError('Response signature invalid: there is none');
  const covered = signatures.map((signature) => coveredBy(signature, root, text, keys));
  const [first] = covered;
  // Both signatures are right where there are two; the assertion's own is the nearer one.
  const element = covered.find(({ name }) => name === 'Assertion') ?? first;
  if (element === undefined) throw new SignatureError('Response signature invalid');
  if (element.name === 'Assertion') return element;
  const [assertion, ...others] = element.children.filter(({ name }) => name === 'Assertion');
  if (assertion === undefined || others.length > 0) throw new SignatureError('Response signature invalid');
  return assertion;
}

interface ElementNode {
  readonly localName: string;
  readonly parentNode: unknown;
  readonly ownerDocument: unknown;
  getAttribute(name: string): string | null;
  getElementsByTagNameNS(namespace: string, name: string): ArrayLike<SignatureNode>;
}

function fail(message: unknown): never {
  throw new SignatureError(`Response cannot be read: ${String(message).slice(0, 100)}`);
}

/** What bounds the work: one assertion, and for each of it and the response one signature of one reference. */
function checkForm(response: XmlElement): void {
  if (sizeOf(response) > MAX_ELEMENTS) throw new SignatureError('Response has too many elements or attributes');
  const names = response.children.map(({ name }) => name);
  if (names.includes('EncryptedAssertion')) throw new SignatureError('Encrypted assertions are not supported');
  const assertions = response.children.filter(({ name }) => name === 'Assertion');
  if (assertions.length !== 1) throw new SignatureError('Response must have one assertion');
  const signatures = [response, ...assertions].flatMap(({ children }) => children).filter(isNamed('Signature'));
  if (signatures.length > 2 || countOf(response, 'Signature') !== signatures.length) {
    throw new SignatureError('Response signature invalid: a signature stands where none belongs');
  }
  for (const signature of signatures) {
    const references = signature.children.filter(isNamed('SignedInfo')).flatMap(({ children }) => children);
    const transforms = references.flatMap(({ children }) => children).flatMap(({ children }) => children);
    if (references.filter(isNamed('Reference')).length !== 1 || transforms.length > 2) {
      throw new SignatureError('Response signature invalid: it has another form than SAML asks for');
    }
  }
}

/** The number of elements; without end where one of them has too many attributes. */
function sizeOf(element: XmlElement): number {
  if (element.attributes.size > MAX_ATTRIBUTES) return Infinity;
  return element.children.reduce((sum, child) => sum + sizeOf(child), 1);
}

function isNamed(wanted: string) {
  return ({ name }: XmlElement): boolean => name === wanted;
}

function countOf(element: XmlElement, name: string): number {
  return element.children.reduce((sum, child) => sum + countOf(child, name), element.name === name ? 1 : 0);
}

/** The element that a signature stands in, as it was signed. @throws SignatureError */
function coveredBy(signature: SignatureNode, root: ElementNode, text: string, keys: readonly string[]): XmlElement {
  const parent = signature.parentNode as ElementNode;
  const isInPlace = parent === root || (parent.localName === 'Assertion' && parent.parentNode === root);
  const id = parent.getAttribute('ID');
  if (!isInPlace || id === null || id === '') throw new SignatureError('Response signature invalid');
  for (const key of keys) {
    if (!hasSigned(key, signature, root.ownerDocument)) continue;
    const canonical = verify(signature, id, text, key);
    if (canonical === undefined) continue;
    const element = parseXml(Buffer.from(canonical));
    const namespace = element.name === 'Assertion' ? ASSERTION_NAMESPACE : PROTOCOL_NAMESPACE;
    const isExpected = element.name === parent.localName && ['Assertion', 'Response'].includes(element.name);
    if (!isExpected || element.attributes.get('ID') !== id || namespaceOfRoot(canonical) !== namespace) break;
    return element;
  }
  throw new SignatureError('Response signature invalid');
}

/**
 * Whether a signature's value is of this key: asked before anything that costs more, so that who has no key cannot have
 * the document digested. It is not the verification.
 */
function hasSigned(key: string, signature: unknown, document: unknown): boolean {
  const verifier = verifierOf(key);
  try {
    verifier.loadSignature(signature as Parameters<typeof verifier.loadSignature>[0]);
    const { signatureAlgorithm = '' } = verifier;
    if (!SIGNATURE_ALGORITHMS.includes(signatureAlgorithm) || verifier.canonicalizationAlgorithm !== EXCLUSIVE)
      return false;
    // The library's own canonical form of what the value covers, which it does not offer otherwise.
    const signed = verifier['getCanonSignedInfoXml'](
      document as Parameters<(typeof verifier)['getCanonSignedInfoXml']>[0],
    );
    const hash = signatureAlgorithm.endsWith('sha512') ? 'sha512' : 'sha256';
    return verifyValue(hash, Buffer.from(signed), key, Buffer.from(String(verifier['signatureValue']), 'base64'));
  } catch {
    return false;
  }
}

function verifierOf(publicCert: string): SignedXml {
  const verifier = new SignedXml({ publicCert, idAttribute: 'ID', getCertFromKeyInfo: () => null });
  verifier.idAttributes = ['ID'];
  verifier.SignatureAlgorithms = only(verifier.SignatureAlgorithms, SIGNATURE_ALGORITHMS);
  verifier.HashAlgorithms = only(verifier.HashAlgorithms, DIGESTS);
  verifier.CanonicalizationAlgorithms = only(verifier.CanonicalizationAlgorithms, TRANSFORMS);
  return verifier;
}

/** The canonical XML that the key has signed; `undefined` where it has not. */
function verify(signature: unknown, id: string, text: string, key: string): string | undefined {
  const verifier = verifierOf(key);
  try {
    verifier.loadSignature(signature as Parameters<typeof verifier.loadSignature>[0]);
    if (verifier.canonicalizationAlgorithm !== EXCLUSIVE || !verifier.checkSignature(text)) return undefined;
  } catch {
    return undefined;
  }
  const [reference, ...others] = verifier.getReferences();
  const [canonical] = verifier.getSignedReferences();
  if (reference === undefined || others.length > 0 || reference.uri !== `#${id}`) return undefined;
  const isAllowed = reference.transforms.every((transform) => TRANSFORMS.includes(transform));
  return isAllowed ? canonical : undefined;
}

function only<Table extends object>(table: Table, names: readonly string[]): Table {
  return Object.fromEntries(Object.entries(table).filter(([name]) => names.includes(name))) as Table;
}

/** In canonical form, where a root declares its own prefix. */
function namespaceOfRoot(canonical: string): string | undefined {
  const [tag = '', prefix] = /^<(?:([\w.-]+):)?[\w.-]+[^>]*>/.exec(canonical) ?? [];
  const name = prefix === undefined ? 'xmlns' : `xmlns:${prefix}`;
  const at = tag.indexOf(` ${name}="`);
  return at < 0 ? undefined : tag.slice(at + name.length + 3).split('"', 1)[0];
}
