import type { InputClips, InputDecryption, TranscodeInput } from '#media/transcode-input.ts';
import type { Input, InputDecryptionSettings } from '@aws-sdk/client-mediaconvert';
import { planSelectors } from './audio-selector-plan.ts';
import { planCaptionSelectors } from './caption-plan.ts';
import { planSource } from './generator-plan.ts';
import { inputTimecode, planInputPicture } from './picture-plan.ts';

export function planInput(input: Input, key: Uint8Array | undefined): TranscodeInput {
  return {
    source: planSource(input),
    ...planSelectors(input),
    ...(input.CaptionSelectors !== undefined && { captionSelectors: planCaptionSelectors(input.CaptionSelectors) }),
    ...planProgram(input),
    picture: planInputPicture(input),
    firstTimecode: inputTimecode(input),
    ...((input.InputClippings ?? []).length > 0 && { clips: planClips(input) }),
    ...(input.DecryptionSettings !== undefined && { decryption: planDecryption(input.DecryptionSettings, key) }),
  };
}

/** The tables are left out of account where nothing is to be looked up in them. */
function planProgram({ ProgramNumber, VideoSelector, PsiControl }: Input): Pick<TranscodeInput, 'program'> {
  const program = ProgramNumber ?? VideoSelector?.ProgramNumber;
  if (program !== undefined) return { program };
  return PsiControl === 'IGNORE_PSI' ? { program: 'any' } : {};
}

function planClips(input: Input): InputClips {
  const { InputClippings: clips = [] } = input;
  return {
    firstTimecode: inputTimecode(input),
    parts: clips.map(({ StartTimecode, EndTimecode }) => ({
      ...(StartTimecode !== undefined && { start: StartTimecode }),
      ...(EndTimecode !== undefined && { end: EndTimecode }),
    })),
  };
}

const MODES = { AES_CTR: 'ctr', AES_CBC: 'cbc', AES_GCM: 'gcm' } as const;

function planDecryption(settings: InputDecryptionSettings, key: Uint8Array | undefined): InputDecryption {
  const { DecryptionMode: mode, InitializationVector: iv } = settings;
  if (mode === undefined || iv === undefined || key === undefined) throw new Error('An encrypted input has no key.');
  return { mode: MODES[mode], key, iv: Buffer.from(iv, 'base64') };
}
