import type {
  LifecycleExpiration,
  LifecycleRule,
  LifecycleRuleAndOperator,
  NoncurrentVersionExpiration,
  Transition,
  TransitionDefaultMinimumObjectSize,
} from '@aws-sdk/client-s3';
import type { Randomness } from '#kernel/randomness.ts';
import { invalidArgument, invalidRequest, malformedXml } from '../errors.ts';
import { checkTransitions } from './lifecycle-transitions.ts';
import { checkTags } from './tag-set.ts';

/** A bucket's lifecycle, as it lies in its settings: dates in ISO 8601. */
export interface LifecycleSettings {
  readonly rules: readonly StoredRule[];
  readonly minimum: TransitionDefaultMinimumObjectSize;
}

type Dated<Item extends { readonly Date?: Date | undefined }> = Omit<Item, 'Date'> & {
  readonly Date?: string | Date | undefined;
};

type StoredRule = Omit<LifecycleRule, 'Expiration' | 'Transitions'> & {
  readonly Expiration?: Dated<LifecycleExpiration> | undefined;
  readonly Transitions?: readonly Dated<Transition>[] | undefined;
};

const MAXIMUM_RULES = 1000;
const MAXIMUM_ID = 255;
const MAXIMUM_PREFIX = 1024;
const DAY = 24 * 3_600_000;

/** What all conditions of a rule's filter come to. */
export interface RuleFilter {
  readonly prefix: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Bytes; an object has to be larger. */
  readonly over: number | undefined;
  readonly under: number | undefined;
}

/** The rules as requests and answers have them. */
export function rulesOf(settings: LifecycleSettings): LifecycleRule[] {
  return settings.rules.map((rule) => {
    const { Expiration: expiration, Transitions: transitions, ...rest } = rule;
    return {
      ...rest,
      ...(expiration !== undefined && { Expiration: revive(expiration) }),
      ...(transitions !== undefined && { Transitions: transitions.map(revive) }),
    };
  });
}

function revive<Item extends { readonly Date?: string | Date | undefined }>(item: Item) {
  const { Date: date, ...rest } = item;
  return { ...rest, ...(date !== undefined && { Date: new Date(date) }) };
}

export function filterOf(rule: LifecycleRule): RuleFilter {
  const {
    Prefix: prefix,
    Tag: tag,
    And: and,
    ObjectSizeGreaterThan: over,
    ObjectSizeLessThan: under,
  } = rule.Filter ?? {};
  const tags = and?.Tags ?? (tag === undefined ? [] : [tag]);
  return {
    prefix: and?.Prefix ?? prefix ?? rule.Prefix ?? '',
    tags: Object.fromEntries(tags.map(({ Key: key, Value: value }) => [key ?? '', value ?? ''])),
    over: and?.ObjectSizeGreaterThan ?? over,
    under: and?.ObjectSizeLessThan ?? under,
  };
}

/** Checks the rules, and gives an id to those that have none. @throws ServiceError */
export function readRules(rules: readonly LifecycleRule[] | undefined, randomness: Randomness): LifecycleRule[] {
  if (rules === undefined || rules.length === 0 || rules.length > MAXIMUM_RULES) throw malformedXml();
  const ids = new Set<string>();
  const isFirstVersion = rules.some((rule) => rule.Prefix !== undefined);
  return rules.map((rule) => {
    const id = rule.ID === undefined || rule.ID === '' ? randomness.uuid() : rule.ID;
    if (id.length > MAXIMUM_ID) throw invalidArgument('ID length should not exceed allowed limit of 255');
    if (ids.has(id)) throw invalidArgument('Rule ID must be unique. Found same ID for more than one rule');
    ids.add(id);
    if (isFirstVersion && rule.Filter !== undefined) {
      throw invalidRequest('Filter element can only be used in Lifecycle V2.');
    }
    checkRule(rule);
    return { ...rule, ID: id };
  });
}

function checkRule(rule: LifecycleRule): void {
  if (rule.Prefix === undefined && rule.Filter === undefined) throw malformedXml();
  checkFilter(rule);
  const { Expiration: expiration, AbortIncompleteMultipartUpload: abort } = rule;
  const { NoncurrentVersionExpiration: noncurrent } = rule;
  const hasTransitions = (rule.Transitions?.length ?? 0) + (rule.NoncurrentVersionTransitions?.length ?? 0) > 0;
  if (expiration === undefined && abort === undefined && noncurrent === undefined && !hasTransitions) {
    throw invalidRequest('At least one action needs to be specified in a rule');
  }
  const filter = filterOf(rule);
  const hasTags = Object.keys(filter.tags).length > 0;
  const hasSize = filter.over !== undefined || filter.under !== undefined;
  if (expiration !== undefined) checkExpiration(expiration, hasTags, hasSize);
  if (noncurrent !== undefined) checkNoncurrent(noncurrent);
  if (abort !== undefined) {
    if (!isPositive(abort.DaysAfterInitiation)) {
      throw invalidArgument(
        "'DaysAfterInitiation' for AbortIncompleteMultipartUpload action must be a positive integer",
      );
    }
    if (hasTags) throw invalidRequest('AbortIncompleteMultipartUpload cannot be specified with Tags.');
    if (hasSize) throw invalidRequest('AbortIncompleteMultipartUpload cannot be specified with Object Size.');
  }
  checkTransitions(rule, filter.prefix);
}

function checkFilter(rule: LifecycleRule): void {
  const { And: and, Tag: tag, ...simple } = rule.Filter ?? {};
  const parts = [and, tag, simple.Prefix, simple.ObjectSizeGreaterThan, simple.ObjectSizeLessThan];
  if (parts.filter((part) => part !== undefined).length > 1) throw malformedXml();
  if (and !== undefined && conditionsOf(and) < 2) throw malformedXml();
  const tags = and?.Tags ?? (tag === undefined ? [] : [tag]);
  checkTags(tags, Number.POSITIVE_INFINITY);
  const { prefix, over, under } = filterOf(rule);
  if (Buffer.byteLength(prefix) > MAXIMUM_PREFIX) throw invalidRequest('The maximum size of a prefix is 1024.');
  if ((over !== undefined && over < 0) || (under !== undefined && under < 1)) {
    throw invalidRequest('Object sizes in a filter must be positive.');
  }
  if (over !== undefined && under !== undefined && under <= over) {
    throw invalidRequest("'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'.");
  }
}

function conditionsOf(and: LifecycleRuleAndOperator): number {
  const single = [and.Prefix, and.ObjectSizeGreaterThan, and.ObjectSizeLessThan];
  return single.filter((part) => part !== undefined).length + (and.Tags?.length ?? 0);
}

function checkExpiration(expiration: LifecycleExpiration, hasTags: boolean, hasSize: boolean): void {
  const { Days: days, Date: date, ExpiredObjectDeleteMarker: marker } = expiration;
  if ([days, date, marker].filter((part) => part !== undefined).length !== 1) throw malformedXml();
  if (days !== undefined && !isPositive(days)) {
    throw invalidArgument("'Days' for Expiration action must be a positive integer");
  }
  if (date !== undefined && date.getTime() % DAY !== 0) throw invalidArgument("'Date' must be at midnight GMT");
  if (marker === undefined) return;
  if (hasTags) throw invalidRequest('ExpiredObjectDeleteMarker cannot be specified with Tags.');
  if (hasSize) throw invalidRequest('ExpiredObjectDeleteMarker cannot be specified with Object Size.');
}

function checkNoncurrent({ NoncurrentDays: days, NewerNoncurrentVersions: newer }: NoncurrentVersionExpiration): void {
  const action = 'for NoncurrentVersionExpiration action must be a positive integer';
  if (!isPositive(days)) throw invalidArgument(`'NoncurrentDays' ${action}`);
  if (newer === undefined) return;
  if (!isPositive(newer)) throw invalidArgument(`'NewerNoncurrentVersions' ${action}`);
  if (newer > 100) throw invalidArgument("'NewerNoncurrentVersions' must be at most 100");
}

function isPositive(days: number | undefined): days is number {
  return days !== undefined && Number.isInteger(days) && days > 0 && days <= 2_147_483_647;
}
