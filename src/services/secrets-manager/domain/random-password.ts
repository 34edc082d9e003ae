import type { GetRandomPasswordRequest } from '@aws-sdk/client-secrets-manager';
import type { Randomness } from '#kernel/randomness.ts';
import { invalidParameter } from '../errors.ts';

const LOWER = 'abcdefghijklmnopqrstuvwxyz';
const NUMBERS = '0123456789';
const PUNCTUATION = '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~';
const DEFAULT_LENGTH = 32;

/** @throws ServiceError InvalidParameterException when nothing is left to choose from */
export function randomPassword(input: GetRandomPasswordRequest, randomness: Randomness): string {
  const excluded = new Set(input.ExcludeCharacters ?? '');
  const types = [
    input.ExcludeLowercase === true ? '' : LOWER,
    input.ExcludeUppercase === true ? '' : LOWER.toUpperCase(),
    input.ExcludeNumbers === true ? '' : NUMBERS,
    input.ExcludePunctuation === true ? '' : PUNCTUATION,
    input.IncludeSpace === true ? ' ' : '',
  ]
    .filter((type) => type !== '')
    .map((type) =>
      type
        .split('')
        .filter((character) => !excluded.has(character))
        .join(''),
    );
  const alphabet = types.join('');
  if (alphabet === '') throw invalidParameter('The password would have no characters to be made of.');
  const length = input.PasswordLength ?? DEFAULT_LENGTH;
  if (input.RequireEachIncludedType === false) return randomness.text(length, alphabet);
  if (types.includes('')) throw invalidParameter('ExcludeCharacters leaves nothing of a type that is required.');
  if (types.length > length) throw invalidParameter('PasswordLength is too short for one character of each type.');
  // One of each type, the rest of all, in a random order: no place is more likely to hold one of them.
  const required = types.map((type) => randomness.text(1, type)).join('');
  return shuffled(required + randomness.text(length - types.length, alphabet), randomness);
}

/** Every order is equally likely: each character gets a random 128-bit rank. */
function shuffled(text: string, randomness: Randomness): string {
  return text
    .split('')
    .map((character) => ({ character, rank: randomness.bytes(16).toString('hex') }))
    .sort((one, other) => (one.rank < other.rank ? -1 : 1))
    .map(({ character }) => character)
    .join('');
}
