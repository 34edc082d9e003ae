import type {
  Event as EventType,
  FilterRule,
  NotificationConfiguration,
  NotificationConfigurationFilter,
  TopicConfiguration,
} from '@aws-sdk/client-s3';
import type { Randomness } from '#kernel/randomness.ts';
import { invalidArgument, malformedXml, notImplemented } from '../errors.ts';

/** Whom a bucket tells of its events; as it lies in its settings. */
export interface NotificationSettings {
  /** The installation's event log, in EventBridge's shape. */
  readonly isBridged?: boolean;
  readonly rules: readonly NotificationRule[];
}

/** Whom a bucket tells of some of its events, in S3's own event format. */
export interface NotificationRule {
  readonly id: string;
  /** The ARN of the destination, as it was given. */
  readonly destination: string;
  readonly events: readonly string[];
  /** As it was given: what the names of keys begin and end with. */
  readonly filter?: readonly FilterRule[];
}

const MAXIMUM_RULES = 100;
const MAXIMUM_ID = 255;
const MAXIMUM_VALUE = 1024;

/**
 * Reads what a bucket is to be told about.
 *
 * @param checkDestination throws where an ARN names nothing that can be told
 * @throws ServiceError InvalidArgument, MalformedXML, NotImplemented
 */
export function readNotifications(
  given: NotificationConfiguration,
  randomness: Randomness,
  checkDestination: (arn: string) => void,
): NotificationSettings | undefined {
  const queue = given.QueueConfigurations?.[0];
  if (queue !== undefined) throw notImplemented(`QueueConfiguration: ${queue.QueueArn ?? ''} (there is no SQS)`);
  const lambda = given.LambdaFunctionConfigurations?.[0];
  if (lambda !== undefined) {
    throw notImplemented(`CloudFunctionConfiguration: ${lambda.LambdaFunctionArn ?? ''} (there is no Lambda)`);
  }
  const isBridged = given.EventBridgeConfiguration !== undefined;
  const rules = (given.TopicConfigurations ?? []).map((topic) => readRule(topic, randomness));
  if (rules.length > MAXIMUM_RULES) throw malformedXml();
  if (new Set(rules.map(({ id }) => id)).size < rules.length) {
    throw invalidArgument('Same ID used for multiple configurations. IDs must be unique', 'Id');
  }
  refuseOverlaps(rules);
  for (const { destination } of rules) checkDestination(destination);
  if (rules.length === 0 && !isBridged) return undefined;
  return { ...(isBridged && { isBridged }), rules };
}

function readRule(topic: TopicConfiguration, randomness: Randomness): NotificationRule {
  const { Id: id, TopicArn: destination = '', Events: events = [], Filter: filter } = topic;
  if (events.length === 0) throw malformedXml();
  if (id !== undefined && id.length > MAXIMUM_ID) throw invalidArgument('The ID has more than 255 characters', 'Id');
  const rules = filter?.Key?.FilterRules ?? [];
  checkFilter(rules);
  return {
    id: id === undefined || id === '' ? randomness.uuid() : id,
    destination,
    events,
    ...(rules.length > 0 && { filter: rules }),
  };
}

function checkFilter(rules: readonly FilterRule[]): void {
  for (const name of ['prefix', 'suffix'] as const) {
    const named = rules.filter((rule) => rule.Name === name);
    if (named.length > 1) throw invalidArgument(`Cannot specify more than one ${name} rule in a filter.`, 'FilterRule');
  }
  for (const { Name: name, Value: value = '' } of rules) {
    if (name === undefined)
      throw invalidArgument('filter rule name must be either prefix or suffix', 'FilterRule.Name');
    if (Buffer.byteLength(value) > MAXIMUM_VALUE) {
      throw invalidArgument(`Size of filter rule value cannot exceed ${MAXIMUM_VALUE} bytes in UTF-8 representation`);
    }
  }
}

/** No event may be told twice. @throws ServiceError InvalidArgument */
function refuseOverlaps(rules: readonly NotificationRule[]): void {
  for (const [index, rule] of rules.entries()) {
    for (const other of rules.slice(0, index)) {
      const event = rule.events.find((name) => other.events.some((of) => covers(of, name) || covers(name, of)));
      if (event === undefined || !overlap(rule, other)) continue;
      if (rule.filter === undefined && other.filter === undefined) {
        throw invalidArgument(
          'Configurations overlap. Configurations on the same bucket cannot share a common event type.',
          'Event',
          event,
        );
      }
      throw invalidArgument(
        'Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes are overlapping for the same event type.',
      );
    }
  }
}

function overlap(one: NotificationRule, other: NotificationRule): boolean {
  const [a, b] = [endsOf(one), endsOf(other)];
  const prefixes = a.prefix.startsWith(b.prefix) || b.prefix.startsWith(a.prefix);
  return prefixes && (a.suffix.endsWith(b.suffix) || b.suffix.endsWith(a.suffix));
}

function endsOf({ filter = [] }: NotificationRule): { readonly prefix: string; readonly suffix: string } {
  const valueOf = (name: FilterRule['Name']) => filter.find((rule) => rule.Name === name)?.Value ?? '';
  return { prefix: valueOf('prefix'), suffix: valueOf('suffix') };
}

/** @param pattern an event type, or with `*` at its end all that begin with it */
function covers(pattern: string, event: string): boolean {
  return pattern === event || (pattern.endsWith(':*') && event.startsWith(pattern.slice(0, -1)));
}

/** The rule that speaks of an event of a key; there is one at most. */
export function ruleFor(settings: NotificationSettings, event: EventType, key: string): NotificationRule | undefined {
  return settings.rules.find((rule) => {
    const { prefix, suffix } = endsOf(rule);
    return key.startsWith(prefix) && key.endsWith(suffix) && rule.events.some((pattern) => covers(pattern, event));
  });
}

/** As the API has them. */
export function notificationsAnswer(settings: NotificationSettings | undefined): NotificationConfiguration {
  const { isBridged, rules = [] } = settings ?? {};
  return {
    ...(rules.length > 0 && { TopicConfigurations: rules.map(topicOf) }),
    ...(isBridged === true && { EventBridgeConfiguration: {} }),
  };
}

function topicOf({ id, destination, events, filter }: NotificationRule): TopicConfiguration {
  const Filter: NotificationConfigurationFilter | undefined = filter && { Key: { FilterRules: [...filter] } };
  return { Id: id, TopicArn: destination, Events: [...events] as EventType[], ...(Filter && { Filter }) };
}
