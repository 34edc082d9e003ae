import type { EncryptionContractConfiguration } from '@aws-sdk/client-mediaconvert';
import { ANY_USE, type KeyUse, type Range } from '#media/content-encryption.ts';

/**
 * For which tracks SPEKE 2.0's presets ask for keys of their own. Source: "SPEKE Version 2.0 presets" in the MediaConvert
 * user guide.
 */

/** One key, and what it is for, in SPEKE's words. */
export interface PresetKey {
  readonly intendedTrackType: string;
  readonly use: KeyUse;
}

const END = Number.MAX_SAFE_INTEGER;
/** Numbers of pixels, both ends included. */
const SD: Range = { from: 0, to: 589_824 };
const HD1: Range = { from: SD.to + 1, to: 921_600 };
const HD2: Range = { from: HD1.to + 1, to: 2_073_600 };
const UHD1: Range = { from: HD2.to + 1, to: 8_847_360 };
const UHD2: Range = { from: UHD1.to + 1, to: END };
const HD: Range = { from: HD1.from, to: HD2.to };
const UHD: Range = { from: UHD1.from, to: END };
const ABOVE_SD: Range = { from: HD1.from, to: END };

/** By the words of the track type, one range for each. */
const VIDEO: Readonly<Record<string, Readonly<Record<string, readonly Range[]>>>> = {
  PRESET_VIDEO_1: { VIDEO: ANY_USE.pixels },
  PRESET_VIDEO_2: { SD: [SD], HD: [ABOVE_SD] },
  PRESET_VIDEO_3: { SD: [SD], HD: [HD], UHD: [UHD] },
  PRESET_VIDEO_4: { SD: [SD], HD: [HD], UHD1: [UHD1], UHD2: [UHD2] },
  PRESET_VIDEO_5: { SD: [SD], HD1: [HD1], HD2: [HD2], UHD1: [UHD1], UHD2: [UHD2] },
  PRESET_VIDEO_6: { SD: [SD], HD1: [HD1], HD2: [HD2], UHD: [UHD] },
  PRESET_VIDEO_7: { 'SD+HD1': [SD, HD1], HD2: [HD2], UHD: [UHD] },
  PRESET_VIDEO_8: { 'SD+HD1': [SD, HD1], HD2: [HD2], UHD1: [UHD1], UHD2: [UHD2] },
};

const AUDIO: Readonly<Record<string, Readonly<Record<string, readonly Range[]>>>> = {
  PRESET_AUDIO_1: { AUDIO: ANY_USE.channels },
  PRESET_AUDIO_2: { STEREO_AUDIO: [{ from: 0, to: 2 }], MULTICHANNEL_AUDIO: [{ from: 3, to: END }] },
  PRESET_AUDIO_3: {
    STEREO_AUDIO: [{ from: 0, to: 2 }],
    MULTICHANNEL_AUDIO_3_6: [{ from: 3, to: 6 }],
    MULTICHANNEL_AUDIO_7: [{ from: 7, to: END }],
  },
};

/** @returns the keys that the presets ask for; tracks that none is for stay in the clear */
export function presetKeys({
  SpekeVideoPreset: video,
  SpekeAudioPreset: audio,
}: EncryptionContractConfiguration): PresetKey[] {
  if (video === 'SHARED') return [{ intendedTrackType: 'ALL', use: ANY_USE }];
  const pictures = Object.entries(VIDEO[video ?? ''] ?? {});
  const sounds = Object.entries(AUDIO[audio ?? ''] ?? {});
  return [
    ...pictures.map(([intendedTrackType, pixels]) => ({ intendedTrackType, use: { pixels, channels: [] } })),
    ...sounds.map(([intendedTrackType, channels]) => ({ intendedTrackType, use: { pixels: [], channels } })),
  ];
}
