import type { OutputChannelMapping, RemixSettings } from '@aws-sdk/client-mediaconvert';
import type { Problem } from '../errors.ts';
import { allOf, carriedOut, each, missing, type SettingRule, structure } from './setting-rule.ts';

const channel: SettingRule<OutputChannelMapping> = allOf(
  checkChannel,
  structure<OutputChannelMapping>({ InputChannels: carriedOut, InputChannelsFineTune: carriedOut }),
);

/** A signal that ducks others (audio description) is refused by name: it is data in a channel, not sound. */
export const remix: SettingRule<RemixSettings> = allOf(
  checkRemix,
  structure<RemixSettings>({
    ChannelsIn: carriedOut,
    ChannelsOut: carriedOut,
    ChannelMapping: structure<NonNullable<RemixSettings['ChannelMapping']>>({ OutputChannels: each(channel) }),
  }),
);

function checkChannel(mapping: OutputChannelMapping, pointer: string, problems: Problem[]): void {
  const { InputChannels: whole, InputChannelsFineTune: fine } = mapping;
  if (whole !== undefined && fine !== undefined) {
    const text = 'Should not be given beside inputChannels';
    problems.push({ pointer: `${pointer}/inputChannelsFineTune`, text });
  }
  if (whole === undefined && fine === undefined) problems.push(missing(pointer, 'inputChannels'));
}

function checkRemix(settings: RemixSettings, pointer: string, problems: Problem[]): void {
  const { ChannelMapping: mapping, ChannelsIn: inputs, ChannelsOut: outputs } = settings;
  const rows = mapping?.OutputChannels;
  if (rows === undefined) {
    problems.push(missing(pointer, 'channelMapping'));
    return;
  }
  if (rows.length === 0) {
    problems.push({ pointer: `${pointer}/channelMapping/outputChannels`, text: 'Should have at least 1 items' });
  }
  if (outputs !== undefined && outputs !== 1 && outputs % 2 === 1) {
    problems.push({ pointer: `${pointer}/channelsOut`, text: 'Should be 1 or an even number' });
  }
  if (rows.length > 64) {
    problems.push({ pointer: `${pointer}/channelMapping/outputChannels`, text: 'Should have at most 64 items' });
  }
  if (outputs !== undefined && rows.length !== outputs) {
    const text = `Should have ${outputs} items, as channelsOut says`;
    problems.push({ pointer: `${pointer}/channelMapping/outputChannels`, text });
  }
  rows.forEach(({ InputChannels: whole, InputChannelsFineTune: fine }, index) => {
    const row = fine ?? whole ?? [];
    const most = inputs ?? 64;
    if (row.length <= most && (inputs === undefined || row.length === inputs)) return;
    const member = fine === undefined ? 'inputChannels' : 'inputChannelsFineTune';
    const at = `${pointer}/channelMapping/outputChannels/${index}/${member}`;
    problems.push({ pointer: at, text: `Should have ${most} items, as channelsIn says` });
  });
}
