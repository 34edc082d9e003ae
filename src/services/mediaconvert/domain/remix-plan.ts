import type { Remix } from '#media/audio-settings.ts';
import type { RemixSettings } from '@aws-sdk/client-mediaconvert';

/** What the settings call mute. */
const MUTE_DB = -60;

/** Turns a mapping that passed the rules into factors: one row for each output channel. */
export function planRemix(settings: RemixSettings | undefined): Remix | undefined {
  const outputs = settings?.ChannelMapping?.OutputChannels;
  if (outputs === undefined) return undefined;
  return {
    gains: outputs.map(({ InputChannels: whole, InputChannelsFineTune: fine }) => (fine ?? whole ?? []).map(factor)),
  };
}

function factor(decibels: number): number {
  if (decibels <= MUTE_DB) return 0;
  // The service rounds to thousandths of a decibel.
  return 10 ** (Math.round(decibels * 1000) / 1000 / 20);
}
