import type { Filter } from '@aws-sdk/client-secrets-manager';
import { invalidParameter } from '../errors.ts';
import type { SecretRow } from '../store.ts';
import { parseTags } from './tags.ts';

/** A secret passes when every filter has a value that fits, and none of the negated ones does. */
export type SecretFilter = (secret: SecretRow) => boolean;

/** @throws ServiceError InvalidParameterException */
export function secretFilter(filters: readonly Filter[] | undefined): SecretFilter {
  const tests = (filters ?? []).map(readFilter);
  return (secret) => tests.every((test) => test(secret));
}

function readFilter({ Key, Values }: Filter): SecretFilter {
  if (Key === undefined) throw invalidParameter('A filter needs a Key.');
  if (Values === undefined || Values.length === 0) throw invalidParameter(`The filter ${Key} needs Values.`);
  const negated = Values.filter((value) => value.startsWith('!')).map((value) => value.slice(1));
  const wanted = Values.filter((value) => !value.startsWith('!'));
  const fits = fitOf(Key);
  return (secret) =>
    !negated.some((value) => fits(secret, value)) &&
    (wanted.length === 0 || wanted.some((value) => fits(secret, value)));
}

/** Prefixes count with their case, except in descriptions; `all` looks for words anywhere, without it. */
function fitOf(key: string): (secret: SecretRow, value: string) => boolean {
  switch (key) {
    case 'name':
      return ({ name }, value) => name.startsWith(value);
    case 'description':
      return ({ description }, value) => (description ?? '').toLowerCase().startsWith(value.toLowerCase());
    case 'tag-key':
      return ({ tags }, value) => Object.keys(parseTags(tags)).some((one) => one.startsWith(value));
    case 'tag-value':
      return ({ tags }, value) => Object.values(parseTags(tags)).some((one) => one.startsWith(value));
    case 'primary-region':
      return ({ primary_region }, value) => primary_region?.startsWith(value) === true;
    // Here no service makes secrets for others.
    case 'owning-service':
      return () => false;
    default:
      return fitsAnywhere;
  }
}

function fitsAnywhere({ name, description, tags, primary_region }: SecretRow, value: string): boolean {
  const attributes = [name, description ?? '', primary_region ?? '', ...Object.entries(parseTags(tags)).flat()];
  const text = attributes.join('\n').toLowerCase();
  return wordsOf(value).every((word) => text.includes(word));
}

function wordsOf(value: string): string[] {
  return value
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
}
