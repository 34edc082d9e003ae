import { escapeText } from '#kernel/escape-xml.ts';
import type { CpixRequest, CpixResponse, RequestedKey, SpekeVersion, UsageRule } from './document.ts';
import { CPIX_VERSION } from './read-document.ts';
import { signalElementsOf } from './signal-elements.ts';

type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** What an encryptor sends. */
export function writeRequest(request: CpixRequest): string {
  const { version, keys, systems, certificates } = request;
  const delivery = certificates.map((certificate, index) => {
    const x509 = element('ds:X509Certificate', {}, certificate.toString('base64'));
    const key = element('cpix:DeliveryKey', {}, element('ds:X509Data', {}, x509));
    return element('cpix:DeliveryData', { id: `recipient-${index + 1}` }, key);
  });
  return documentOf(request, [
    ...(delivery.length > 0 ? [element('cpix:DeliveryDataList', {}, ...delivery)] : []),
    element('cpix:ContentKeyList', {}, ...keys.map((key) => element('cpix:ContentKey', keyAttributes(key)))),
    element(
      'cpix:DRMSystemList',
      {},
      ...systems.map(({ kid, systemId, wanted }) => {
        const elements = signalElementsOf(version).filter(({ name }) => wanted.includes(name));
        return element(
          'cpix:DRMSystem',
          { kid, systemId },
          ...elements.map(({ tag, playlist }) => element(tag, { playlist })),
        );
      }),
    ),
  ]);
}

/** What a key provider answers: it has the content keys in it, in the clear. */
export function writeResponse(response: CpixResponse): string {
  const { version, keys, systems } = response;
  return documentOf(response, [
    element(
      'cpix:ContentKeyList',
      {},
      ...keys.map((key) => {
        const secret = element('pskc:Secret', {}, element('pskc:PlainValue', {}, key.value.toString('base64')));
        return element('cpix:ContentKey', keyAttributes(key), element('cpix:Data', {}, secret));
      }),
    ),
    element(
      'cpix:DRMSystemList',
      {},
      ...systems.map(({ kid, systemId, signals }) => {
        const elements = signalElementsOf(version).flatMap(({ name, tag, playlist }) => {
          const value = signals[name];
          return value === undefined ? [] : [element(tag, { playlist }, Buffer.from(value).toString('base64'))];
        });
        return element('cpix:DRMSystem', { kid, systemId }, ...elements);
      }),
    ),
  ]);
}

function documentOf(head: Pick<CpixRequest, 'version' | 'contentId' | 'rules'>, lists: readonly string[]): string {
  const { version, contentId, rules } = head;
  const content =
    rules.length === 0 ? lists : [...lists, element('cpix:ContentKeyUsageRuleList', {}, ...rules.map(ruleOf))];
  const document = element(
    'cpix:CPIX',
    { ...identityOf(version, contentId), ...namespacesOf(version, lists) },
    ...content,
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n${document}`;
}

function identityOf(version: SpekeVersion, contentId: string): Attributes {
  return version === '1.0' ? { id: contentId } : { contentId, version: CPIX_VERSION };
}

function namespacesOf(version: SpekeVersion, lists: readonly string[]): Attributes {
  return {
    'xmlns:cpix': 'urn:dashif:org:cpix',
    'xmlns:pskc': 'urn:ietf:params:xml:ns:keyprov:pskc',
    'xmlns:speke': version === '1.0' ? 'urn:aws:amazon:com:speke' : undefined,
    'xmlns:ds': lists[0]?.includes('<ds:') === true ? 'http://www.w3.org/2000/09/xmldsig#' : undefined,
  };
}

function keyAttributes({ kid, explicitIv, scheme }: RequestedKey): Attributes {
  return { kid, explicitIV: explicitIv?.toString('base64'), commonEncryptionScheme: scheme };
}

function ruleOf({ kid, intendedTrackType, videoFilters, audioFilters }: UsageRule): string {
  return element(
    'cpix:ContentKeyUsageRule',
    { kid, intendedTrackType },
    ...videoFilters.map((filter) => element('cpix:VideoFilter', { ...filter })),
    ...audioFilters.map((filter) => element('cpix:AudioFilter', { ...filter })),
  );
}

/** @param content elements, or text that needs no escape */
function element(tag: string, attributes: Attributes, ...content: readonly string[]): string {
  let head = tag;
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) head += ` ${name}="${escapeText(String(value))}"`;
  }
  return `<${head}>${content.join('')}</${tag}>`;
}
