import type { AudioCodecSettings, DolbySettings } from '#media/audio-codec-settings.ts';
import type { Ac3Settings, Eac3Settings } from '@aws-sdk/client-mediaconvert';

const RATE = 48_000;
/** What players take for a stream that says nothing: dialogue is 31 dB under full scale. */
const USUAL_DIALNORM = 31;

const SERVICES: Readonly<Record<string, DolbySettings['service']>> = {
  COMPLETE_MAIN: 'ma',
  MUSIC_AND_EFFECTS: 'ef',
  VISUALLY_IMPAIRED: 'vi',
  HEARING_IMPAIRED: 'hi',
  DIALOGUE: 'di',
  COMMENTARY: 'co',
  EMERGENCY: 'em',
  VOICE_OVER: 'vo',
};

/** Bits a second where the settings leave them open, by the number of channels; 0 for a number that is not known yet. */
const USUAL_BITRATES: Readonly<Record<number, number>> = { 0: 384_000, 1: 96_000, 2: 192_000, 5: 384_000, 6: 384_000 };

const MODES: Readonly<Record<string, number>> = {
  CODING_MODE_AUTO: 0,
  CODING_MODE_1_0: 1,
  CODING_MODE_2_0: 2,
  CODING_MODE_3_2: 6,
  CODING_MODE_3_2_LFE: 6,
};

function common(settings: Ac3Settings | Eac3Settings, channels: number): DolbySettings {
  return {
    sampleRate: RATE,
    channels,
    bitrate: settings.Bitrate ?? USUAL_BITRATES[channels] ?? 0,
    service: SERVICES[settings.BitstreamMode ?? 'COMPLETE_MAIN'] ?? 'ma',
    dialnorm: settings.Dialnorm ?? USUAL_DIALNORM,
    isLfeFiltered: settings.LfeFilter === 'ENABLED',
  };
}

export function planDolby(settings: Ac3Settings): AudioCodecSettings {
  return { kind: 'ac3', ...common(settings, MODES[settings.CodingMode ?? 'CODING_MODE_AUTO'] ?? 0) };
}

export function planDolbyPlus(settings: Eac3Settings): AudioCodecSettings {
  const mode = MODES[settings.CodingMode ?? 'CODING_MODE_AUTO'] ?? 0;
  const hasNoLfe = settings.LfeControl === 'NO_LFE';
  return {
    kind: 'eac3',
    ...common(settings, mode === 6 && hasNoLfe ? 5 : mode),
    ...(hasNoLfe && { hasNoLfe }),
    isDcFiltered: settings.DcFilter === 'ENABLED',
    isSurroundAttenuated: settings.AttenuationControl === 'ATTENUATE_3_DB',
    metadata: mixingMetadata(settings),
  };
}

const DOWNMIXES = { NOT_INDICATED: 'notindicated', LO_RO: 'loro', LT_RT: 'ltrt', DPL2: 'dplii' } as const;
const INDICATIONS = { NOT_INDICATED: 'notindicated', ENABLED: 'on', DISABLED: 'off' } as const;

/** FFmpeg's options that tell decoders how to mix many channels into two. */
function mixingMetadata(settings: Eac3Settings): Record<string, string | number> {
  const levels = [
    ['loro_cmixlev', settings.LoRoCenterMixLevel],
    ['loro_surmixlev', settings.LoRoSurroundMixLevel],
    ['ltrt_cmixlev', settings.LtRtCenterMixLevel],
    ['ltrt_surmixlev', settings.LtRtSurroundMixLevel],
  ] as const;
  return {
    ...Object.fromEntries(
      levels.flatMap(([name, level]) => (level === undefined ? [] : [[name, mixFactor(level)] as const])),
    ),
    ...(settings.StereoDownmix !== undefined && { dmix_mode: DOWNMIXES[settings.StereoDownmix] }),
    ...(settings.SurroundMode !== undefined && { dsur_mode: INDICATIONS[settings.SurroundMode] }),
    ...(settings.SurroundExMode !== undefined && { dsurex_mode: INDICATIONS[settings.SurroundExMode] }),
  };
}

/** A level in decibels as a factor; the format has eight of them. */
function mixFactor(level: number): number {
  return level <= -60 ? 0 : Number((10 ** (level / 20)).toFixed(3));
}
