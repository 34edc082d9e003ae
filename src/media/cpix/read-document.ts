import type { XmlElement } from '#kernel/xml-document.ts';
import { CpixError } from './cpix-error.ts';
import type {
  ContentKey,
  CpixRequest,
  CpixResponse,
  DrmSignals,
  DrmSystem,
  EncryptionScheme,
  RequestedKey,
  RequestedSystem,
  SpekeVersion,
} from './document.ts';
import { attributeOf, bytesOf, childOf, listOf, rootOf, uuidOf } from './element-reader.ts';
import { type SignalElement, signalElementsOf } from './signal-elements.ts';
import { readRules } from './usage-rules.ts';

/** SPEKE's presets have eleven keys at most, and there are not ten systems. */
const MAX_KEYS = 64;
const MAX_SYSTEMS = 512;
const MAX_CERTIFICATES = 8;
/** Of CPIX, which v2's documents name. */
export const CPIX_VERSION = '2.3';

const LISTS = new Set([
  'DeliveryDataList',
  'ContentKeyList',
  'DRMSystemList',
  'ContentKeyPeriodList',
  'ContentKeyUsageRuleList',
]);

/**
 * Reads what an encryptor asks. What it asks for and SPEKE does not have is refused: it would wait for it in vain.
 *
 * @param version as the request's header says
 * @throws CpixError in SPEKE's words, where it has words for it
 */
export function readRequest(document: Buffer, version: SpekeVersion): CpixRequest {
  const root = rootOf(document);
  const contentId = contentIdOf(root, version);
  for (const { name } of root.children) {
    if (!LISTS.has(name)) throw new CpixError(`Unsupported element CPIX/${name}`);
  }
  if (childOf(root, 'ContentKeyPeriodList') !== undefined) throw new CpixError('Key rotation is not supported');
  const keys = readKeys(root, version, requestedKeyOf);
  const kids = new Set(keys.map(({ kid }) => kid));
  const systems = readSystems(root, kids, (element) => requestedSystemOf(element, version));
  const rules = version === '2.0' ? readRules(root, kids) : [];
  return { version, contentId, keys, systems, rules, certificates: certificatesOf(root) };
}

/**
 * Reads what a key provider answers. What is in it beyond SPEKE is not looked at.
 *
 * @throws CpixError
 */
export function readResponse(document: Buffer, version: SpekeVersion): CpixResponse {
  const root = rootOf(document);
  const contentId = contentIdOf(root, version);
  const keys = readKeys(root, version, contentKeyOf);
  const kids = new Set(keys.map(({ kid }) => kid));
  const systems = readSystems(root, kids, (element) => drmSystemOf(element, version));
  const rules = version === '2.0' ? readRules(root, kids) : [];
  return { version, contentId, keys, systems, rules };
}

function contentIdOf(root: XmlElement, version: SpekeVersion): string {
  if (version === '1.0') return attributeOf(root, 'id');
  const contentId = attributeOf(root, 'contentId');
  if (attributeOf(root, 'version') !== CPIX_VERSION) throw new CpixError('Unsupported CPIX@version');
  return contentId;
}

function readKeys<Key extends RequestedKey>(
  root: XmlElement,
  version: SpekeVersion,
  read: (element: XmlElement, key: RequestedKey) => Key,
): readonly Key[] {
  const keys = listOf(root, 'ContentKeyList', 'ContentKey', MAX_KEYS).map((element) => {
    const scheme = version === '2.0' ? { scheme: schemeOf(element) } : {};
    const iv = element.attributes.get('explicitIV') ?? '';
    const explicitIv = iv === '' ? {} : { explicitIv: explicitIvOf(iv) };
    return read(element, { kid: uuidOf(element, 'kid'), ...explicitIv, ...scheme });
  });
  if (keys.length === 0) throw new CpixError('Missing ContentKey');
  if (new Set(keys.map(({ kid }) => kid)).size < keys.length)
    throw new CpixError('Two ContentKey elements have one kid');
  if (new Set(keys.map(({ scheme }) => scheme)).size > 1) {
    throw new CpixError('Non compliant ContentKey@commonEncryptionScheme combination');
  }
  return keys;
}

const SCHEMES: readonly string[] = ['cenc', 'cens', 'cbc1', 'cbcs'] satisfies readonly EncryptionScheme[];

function schemeOf(element: XmlElement): EncryptionScheme {
  const value = element.attributes.get('commonEncryptionScheme') ?? '';
  const kid = uuidOf(element, 'kid');
  if (value === '') throw new CpixError(`Missing ContentKey@commonEncryptionScheme for KID ${kid}`);
  if (!SCHEMES.includes(value)) throw new CpixError(`Unsupported ContentKey@commonEncryptionScheme for KID ${kid}`);
  return value as EncryptionScheme;
}

function explicitIvOf(base64: string): Buffer {
  const iv = bytesOf(base64, 'ContentKey@explicitIV');
  if (iv.length !== 8 && iv.length !== 16) throw new CpixError('ContentKey@explicitIV must have 8 or 16 bytes');
  return iv;
}

function requestedKeyOf(element: XmlElement, key: RequestedKey): RequestedKey {
  const [child] = element.children;
  if (child !== undefined) throw new CpixError(`Unsupported element ContentKey/${child.name}`);
  return key;
}

function contentKeyOf(element: XmlElement, key: RequestedKey): ContentKey {
  const data = childOf(element, 'Data');
  const secret = data === undefined ? undefined : childOf(data, 'Secret');
  const plain = secret === undefined ? undefined : childOf(secret, 'PlainValue');
  if (plain === undefined) {
    const isEncrypted = secret?.children.some(({ name }) => name === 'EncryptedValue') === true;
    throw new CpixError(isEncrypted ? 'A ContentKey is encrypted' : 'A ContentKey has no value');
  }
  const value = bytesOf(plain.text, 'The value of a ContentKey');
  if (value.length !== 16) throw new CpixError('The value of a ContentKey must have 16 bytes');
  return { ...key, value };
}

function readSystems<System extends Pick<DrmSystem, 'kid' | 'systemId'>>(
  root: XmlElement,
  kids: ReadonlySet<string>,
  read: (element: XmlElement) => System,
): readonly System[] {
  const systems = listOf(root, 'DRMSystemList', 'DRMSystem', MAX_SYSTEMS).map(read);
  const seen = new Set<string>();
  for (const { kid, systemId } of systems) {
    if (!kids.has(kid)) throw new CpixError('A DRMSystem has the kid of no ContentKey');
    const name = `${kid} ${systemId}`;
    if (seen.has(name)) throw new CpixError(`Two DRMSystem elements are of one system and one kid: ${name}`);
    seen.add(name);
  }
  return systems;
}

function requestedSystemOf(element: XmlElement, version: SpekeVersion): RequestedSystem {
  const wanted = element.children.map((child) => {
    const signal = signalOf(child, version);
    if (signal === undefined) throw new CpixError(`Unsupported element DRMSystem/${child.name}`);
    return signal.name;
  });
  if (new Set(wanted).size < wanted.length) throw new CpixError('A DRMSystem has an element twice');
  return { kid: uuidOf(element, 'kid'), systemId: uuidOf(element, 'systemId'), wanted };
}

function drmSystemOf(element: XmlElement, version: SpekeVersion): DrmSystem {
  const signals: Record<string, string | Buffer> = {};
  for (const child of element.children) {
    const signal = signalOf(child, version);
    // Elements that a provider has nothing for come back empty.
    if (signal === undefined || child.text.trim() === '') continue;
    if (Object.hasOwn(signals, signal.name)) throw new CpixError('A DRMSystem has an element twice');
    const bytes = bytesOf(child.text, `DRMSystem/${child.name}`);
    signals[signal.name] = signal.isText ? bytes.toString('utf8') : bytes;
  }
  return { kid: uuidOf(element, 'kid'), systemId: uuidOf(element, 'systemId'), signals: signals as DrmSignals };
}

function signalOf(child: XmlElement, version: SpekeVersion): SignalElement | undefined {
  const playlist = child.attributes.get('playlist') ?? 'media';
  return signalElementsOf(version).find(
    ({ tag, playlist: of }) => tag.endsWith(`:${child.name}`) && (of === undefined || of === playlist),
  );
}

function certificatesOf(root: XmlElement): readonly Buffer[] {
  return listOf(root, 'DeliveryDataList', 'DeliveryData', MAX_CERTIFICATES).map((data) => {
    const key = childOf(data, 'DeliveryKey');
    const x509 = key === undefined ? undefined : childOf(key, 'X509Data');
    const certificate = x509 === undefined ? undefined : childOf(x509, 'X509Certificate');
    if (certificate === undefined) throw new CpixError('A DeliveryData has no X509Certificate');
    return bytesOf(certificate.text, 'X509Certificate');
  });
}
