import type { JobSettings, OutputGroupSettings, SpekeKeyProvider } from '@aws-sdk/client-mediaconvert';
import { ANY_USE, type ContentEncryption } from '#media/content-encryption.ts';
import type { EncryptionScheme, SignalName, SpekeVersion } from '#media/cpix/document.ts';
import { type PresetKey, presetKeys } from './speke-presets.ts';

/** What a group's content is to be encrypted with, as a key provider is asked for it. */
export interface KeyOrder {
  readonly url: string;
  readonly resourceId: string;
  readonly version: SpekeVersion;
  readonly method: ContentEncryption['method'];
  readonly scheme: EncryptionScheme;
  readonly keys: readonly PresetKey[];
  /** UUIDs in lower case. Which of them HLS manifests, MPDs and Smooth manifests tell of. */
  readonly systems: Readonly<Record<'hls' | 'dash' | 'smooth', readonly string[]>>;
  /** 16 bytes, where the job names it. */
  readonly iv?: Buffer;
}

/** @returns one for each group, in their order; undefined for those without a key provider */
export function keyOrders(settings: JobSettings): (KeyOrder | undefined)[] {
  return (settings.OutputGroups ?? []).map(({ OutputGroupSettings: group = {} }) => orderOf(group));
}

function orderOf({ Type: type, ...groups }: OutputGroupSettings): KeyOrder | undefined {
  if (type === 'HLS_GROUP_SETTINGS') {
    const encryption = groups.HlsGroupSettings?.Encryption;
    const provider = encryption?.SpekeKeyProvider;
    if (encryption === undefined || provider === undefined) return undefined;
    const method = encryption.EncryptionMethod === 'AES128' ? 'AES-128' : 'SAMPLE-AES';
    const facts = { method, scheme: 'cbcs', ...vector(encryption) } as const;
    return { ...facts, ...common(provider), systems: { ...NONE, hls: lower(provider.SystemIds) } };
  }
  if (type === 'CMAF_GROUP_SETTINGS') {
    const encryption = groups.CmafGroupSettings?.Encryption;
    const provider = encryption?.SpekeKeyProvider;
    if (encryption === undefined || provider === undefined) return undefined;
    const { HlsSignaledSystemIds: hls, DashSignaledSystemIds: dash } = provider;
    const facts = encryption.EncryptionMethod === 'AES_CTR' ? COUNTED : PATTERNED;
    return {
      ...facts,
      ...vector(encryption),
      ...common(provider),
      systems: { ...NONE, hls: lower(hls), dash: lower(dash) },
    };
  }
  if (type === 'DASH_ISO_GROUP_SETTINGS') {
    const provider = groups.DashIsoGroupSettings?.Encryption?.SpekeKeyProvider;
    return provider && { ...COUNTED, ...common(provider), systems: { ...NONE, dash: lower(provider.SystemIds) } };
  }
  if (type === 'MS_SMOOTH_GROUP_SETTINGS') {
    const provider = groups.MsSmoothGroupSettings?.Encryption?.SpekeKeyProvider;
    return provider && { ...COUNTED, ...common(provider), systems: { ...NONE, smooth: lower(provider.SystemIds) } };
  }
  return undefined;
}

const NONE = { hls: [], dash: [], smooth: [] };
const COUNTED = { method: 'SAMPLE-AES-CTR', scheme: 'cenc' } as const;
const PATTERNED = { method: 'SAMPLE-AES', scheme: 'cbcs' } as const;

function common(provider: Pick<SpekeKeyProvider, 'Url' | 'ResourceId' | 'EncryptionContractConfiguration'>) {
  const contract = provider.EncryptionContractConfiguration;
  return {
    url: provider.Url ?? '',
    resourceId: provider.ResourceId ?? '',
    version: contract === undefined ? ('1.0' as const) : ('2.0' as const),
    keys: contract === undefined ? [{ intendedTrackType: 'ALL', use: ANY_USE }] : presetKeys(contract),
  };
}

function vector({ ConstantInitializationVector: iv }: { readonly ConstantInitializationVector?: string | undefined }) {
  return iv === undefined ? {} : { iv: Buffer.from(iv, 'hex') };
}

function lower(ids: readonly string[] | undefined): string[] {
  return (ids ?? []).map((id) => id.toLowerCase());
}

/** What is asked for of a system. */
export function wantedSignals({ systems, version }: KeyOrder, systemId: string): SignalName[] {
  const isHls = systems.hls.includes(systemId);
  const isDash = systems.dash.includes(systemId);
  const hls: readonly SignalName[] =
    version === '1.0' ? ['keyUri', 'keyFormat', 'keyFormatVersions'] : ['hlsMedia', 'hlsMaster'];
  return [
    ...(isHls ? hls : []),
    ...(isDash ? (['contentProtection'] as const) : []),
    'pssh',
    ...(systems.smooth.includes(systemId) ? (['protectionHeader'] as const) : []),
  ];
}
