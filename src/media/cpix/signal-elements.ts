import type { SignalName, SpekeVersion } from './document.ts';

/** How one of a DRM system's signals stands in a document. */
export interface SignalElement {
  readonly name: SignalName;
  /** With its prefix, as it is written. */
  readonly tag: string;
  /** v2's HLSSignalingData: for which playlist. */
  readonly playlist?: 'media' | 'master';
  /** All are base64: of text, or of bytes. */
  readonly isText: boolean;
}

const COMMON: readonly SignalElement[] = [
  { name: 'contentProtection', tag: 'cpix:ContentProtectionData', isText: true },
  { name: 'pssh', tag: 'cpix:PSSH', isText: false },
];

const BY_VERSION: Readonly<Record<SpekeVersion, readonly SignalElement[]>> = {
  '1.0': [
    ...COMMON,
    { name: 'keyUri', tag: 'cpix:URIExtXKey', isText: true },
    { name: 'keyFormat', tag: 'speke:KeyFormat', isText: true },
    { name: 'keyFormatVersions', tag: 'speke:KeyFormatVersions', isText: true },
    { name: 'protectionHeader', tag: 'speke:ProtectionHeader', isText: false },
  ],
  '2.0': [
    { name: 'hlsMedia', tag: 'cpix:HLSSignalingData', playlist: 'media', isText: true },
    { name: 'hlsMaster', tag: 'cpix:HLSSignalingData', playlist: 'master', isText: true },
    ...COMMON,
    { name: 'protectionHeader', tag: 'cpix:SmoothStreamingProtectionHeaderData', isText: false },
    // Superseded, but in CPIX: providers that serve both versions still fill it in.
    { name: 'keyUri', tag: 'cpix:URIExtXKey', isText: true },
  ],
};

export function signalElementsOf(version: SpekeVersion): readonly SignalElement[] {
  return BY_VERSION[version];
}
