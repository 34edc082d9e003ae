import type { Input, InputVideoGenerator } from '@aws-sdk/client-mediaconvert';
import type { Problem } from '../errors.ts';
import { checkFileInput } from './cross-setting-rules.ts';
import { allOf, carriedOut, missing, type SettingRule, structure, withoutEffect } from './setting-rule.ts';

/** A film that is made: black or of a still picture, with silence. */
export const videoGenerator: SettingRule<InputVideoGenerator> = allOf(
  checkGenerator,
  structure<InputVideoGenerator>({
    Channels: carriedOut,
    Duration: carriedOut,
    FramerateNumerator: carriedOut,
    FramerateDenominator: carriedOut,
    Width: carriedOut,
    Height: carriedOut,
    ImageInput: checkFileInput,
    // Silence is the same at every rate.
    SampleRate: withoutEffect,
  }),
);

function checkGenerator(generator: InputVideoGenerator, pointer: string, problems: Problem[]): void {
  if (generator.Duration === undefined) problems.push(missing(pointer, 'duration'));
  for (const [first, second, name] of [
    [generator.Width, generator.Height, 'height'],
    [generator.Height, generator.Width, 'width'],
    [generator.FramerateNumerator, generator.FramerateDenominator, 'framerateDenominator'],
    [generator.FramerateDenominator, generator.FramerateNumerator, 'framerateNumerator'],
    [generator.Channels, generator.SampleRate, 'sampleRate'],
    [generator.SampleRate, generator.Channels, 'channels'],
  ] as const) {
    if (first !== undefined && second === undefined) problems.push(missing(pointer, name));
  }
  for (const [value, name] of [
    [generator.Width, 'width'],
    [generator.Height, 'height'],
  ] as const) {
    if (value !== undefined && value % 2 !== 0) {
      problems.push({ pointer: `${pointer}/${name}`, text: 'Should be an even number' });
    }
  }
}

/** An input is a file, or made. */
export function checkSource(input: Input, pointer: string, problems: Problem[]): void {
  if (input.VideoGenerator === undefined) {
    if (input.FileInput === undefined) problems.push(missing(pointer, 'fileInput'));
    return;
  }
  for (const [value, name] of [
    [input.FileInput, 'fileInput'],
    [input.DecryptionSettings, 'decryptionSettings'],
  ] as const) {
    if (value !== undefined)
      problems.push({ pointer: `${pointer}/${name}`, text: 'Is not allowed with videoGenerator' });
  }
}
