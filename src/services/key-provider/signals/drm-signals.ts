import { escapeText } from '#kernel/escape-xml.ts';
import type { DrmSignals, EncryptionScheme } from '#media/cpix/document.ts';
import {
  CLEAR_KEY,
  COMMON_PSSH,
  FAIRPLAY,
  HLS_AES_128,
  HLS_AES_128_SPEKE,
  PLAYREADY,
  WIDEVINE,
} from '#media/cpix/system-ids.ts';
import { keyAddress, licenceAddress, type StageAddress } from '../domain/addresses.ts';
import { psshBox, uuidBytes } from './pssh.ts';
import { playReadyObject, playReadyPssh } from './playready.ts';
import { widevinePssh } from './widevine.ts';

/** A key that tracks are protected with, as its signals tell it. */
export interface SignalledKey {
  readonly kid: string;
  readonly contentId: string;
  /** All that are asked for together, this one among them. */
  readonly kids: readonly string[];
  /** Where the request names none, AES-CTR is meant. */
  readonly scheme: EncryptionScheme | undefined;
  readonly explicitIv: Buffer | undefined;
  /** Where players find the provider. */
  readonly stage: StageAddress;
}

/** One of HLS's key tags, without its name. */
interface HlsKey {
  readonly method: string;
  readonly uri: string;
  readonly format: string;
  readonly hasKeyId?: boolean;
  readonly hasIv?: boolean;
}

type SignalWriter = (key: SignalledKey) => DrmSignals;

const WRITERS: ReadonlyMap<string, SignalWriter> = new Map<string, SignalWriter>([
  [WIDEVINE, widevineSignals],
  [PLAYREADY, playReadySignals],
  [FAIRPLAY, fairPlaySignals],
  [CLEAR_KEY, clearKeySignals],
  [COMMON_PSSH, commonSignals],
  [HLS_AES_128, aes128Signals],
  [HLS_AES_128_SPEKE, aes128Signals],
]);

export function isKnownSystem(systemId: string): boolean {
  return WRITERS.has(systemId);
}

/** FairPlay knows `cbcs` and nothing else; the patterns that CMAF does not have are nobody's. */
export function isCompatible(systemId: string, scheme: EncryptionScheme): boolean {
  if (systemId === FAIRPLAY) return scheme === 'cbcs';
  return scheme === 'cenc' || scheme === 'cbcs';
}

/** All that players of a system are told of a key; the caller picks what was asked for. */
export function signalsOf(systemId: string, key: SignalledKey): DrmSignals {
  return WRITERS.get(systemId)?.(key) ?? {};
}

function widevineSignals(key: SignalledKey): DrmSignals {
  const pssh = widevinePssh(key.kid, key.contentId, key.scheme ?? 'cenc');
  return {
    contentProtection: psshElement(pssh),
    pssh,
    ...hlsSignals(key, {
      method: methodOf(key),
      uri: dataUri('text/plain', pssh),
      format: `urn:uuid:${WIDEVINE}`,
      hasKeyId: true,
    }),
  };
}

function playReadySignals(key: SignalledKey): DrmSignals {
  const licence = licenceAddress(key.stage, key.contentId);
  const protectionHeader = playReadyObject(key.kid, key.scheme ?? 'cenc', licence);
  const pssh = playReadyPssh(protectionHeader);
  const pro = `<mspr:pro xmlns:mspr="urn:microsoft:playready">${protectionHeader.toString('base64')}</mspr:pro>`;
  return {
    contentProtection: psshElement(pssh) + pro,
    pssh,
    protectionHeader,
    ...hlsSignals(key, {
      method: methodOf(key),
      uri: dataUri('text/plain;charset=UTF-16', protectionHeader),
      format: 'com.microsoft.playready',
    }),
  };
}

function fairPlaySignals(key: SignalledKey): DrmSignals {
  return hlsSignals(key, {
    method: 'SAMPLE-AES',
    uri: `skd://${key.contentId}/${key.kid}`,
    format: 'com.apple.streamingkeydelivery',
    hasIv: true,
  });
}

/**
 * What dash.js wants of ClearKey: the licence's address, and no `pssh` beside it, as the key's id says all. What hls.js
 * wants: the key's id as the data of an address.
 */
function clearKeySignals(key: SignalledKey): DrmSignals {
  const licence = escapeText(licenceAddress(key.stage, key.contentId));
  return {
    contentProtection: `<dashif:Laurl xmlns:dashif="https://dashif.org/CPS" licenseType="EME-1.0">${licence}</dashif:Laurl>`,
    ...hlsSignals(key, {
      method: methodOf(key),
      uri: dataUri('text/plain', uuidBytes(key.kid)),
      format: 'org.w3.clearkey',
      hasKeyId: true,
    }),
  };
}

/**
 * The W3C's common system: the box, in the only form of it that browsers' ClearKey reads. It has all keys' ids, so that a
 * player that looks at the first box only asks for all.
 */
function commonSignals(key: SignalledKey): DrmSignals {
  const pssh = psshBox(COMMON_PSSH, Buffer.alloc(0), key.kids);
  return { ...clearKeySignals(key), contentProtection: psshElement(pssh), pssh };
}

function aes128Signals(key: SignalledKey): DrmSignals {
  const uri = keyAddress(key.stage, key.contentId, key.kid);
  return hlsSignals(key, { method: 'AES-128', uri, format: 'identity', hasIv: true });
}

function methodOf({ scheme }: SignalledKey): string {
  return scheme === 'cbcs' ? 'SAMPLE-AES' : 'SAMPLE-AES-CTR';
}

/** What v1 has in parts, v2 has as whole tags. */
function hlsSignals({ kid, explicitIv }: SignalledKey, { method, uri, format, hasKeyId, hasIv }: HlsKey): DrmSignals {
  const attributes = [
    `METHOD=${method}`,
    `URI="${uri}"`,
    ...(hasKeyId === true ? [`KEYID=0x${kid.replaceAll('-', '')}`] : []),
    ...(hasIv === true && explicitIv?.length === 16 ? [`IV=0x${explicitIv.toString('hex')}`] : []),
    `KEYFORMAT="${format}"`,
    'KEYFORMATVERSIONS="1"',
  ].join(',');
  return {
    keyUri: uri,
    keyFormat: format,
    keyFormatVersions: '1',
    hlsMedia: `#EXT-X-KEY:${attributes}`,
    hlsMaster: `#EXT-X-SESSION-KEY:${attributes}`,
  };
}

function dataUri(type: string, bytes: Buffer): string {
  return `data:${type};base64,${bytes.toString('base64')}`;
}

function psshElement(pssh: Buffer): string {
  return `<cenc:pssh xmlns:cenc="urn:mpeg:cenc:2013">${pssh.toString('base64')}</cenc:pssh>`;
}
