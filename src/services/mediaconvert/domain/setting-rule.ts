import type { Problem } from '../errors.ts';

/**
 * Checks one value of a job's settings; adds what is wrong with it. The type is taken from a method so that a rule for
 * some of an enum's values fits the enum, while one for a value that the enum does not have is a type error.
 */
export type SettingRule<Value> = { rule(value: Value, pointer: string, problems: Problem[]): void }['rule'];

type MemberRules<Structure> = {
  readonly [Member in keyof Structure]?: SettingRule<NonNullable<Structure[Member]>>;
};

/**
 * A structure of which the named members are carried out.
 *
 * INVARIANT: a member without a rule is refused by name, so that a setting which a newer SDK knows, or which nobody
 * thought of, is never accepted and ignored.
 */
export function structure<Structure extends object>(rules: MemberRules<Structure>): SettingRule<Structure> {
  return (value, pointer, problems) => {
    for (const [member, set] of Object.entries(value) as [keyof Structure & string, Structure[keyof Structure]][]) {
      if (set === undefined || set === null) continue;
      const rule = rules[member] as SettingRule<NonNullable<typeof set>> | undefined;
      const name = `${pointer}/${wireName(member)}`;
      if (rule === undefined) problems.push({ pointer: name, text: 'This setting is not supported' });
      else rule(set, name, problems);
    }
  };
}

export function each<Item>(rule: SettingRule<Item>): SettingRule<Item[]> {
  return (items, pointer, problems) => items.forEach((item, index) => rule(item, `${pointer}/${index}`, problems));
}

export function entries<Item>(rule: SettingRule<Item>): SettingRule<Record<string, Item>> {
  return (map, pointer, problems) => {
    for (const [key, item] of Object.entries(map)) {
      rule(item, `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`, problems);
    }
  };
}

/** Every value that the model allows is carried out. */
export const carriedOut: SettingRule<unknown> = () => undefined;

/** The setting only bears on a feature that is refused where it is asked for, or it is a label: any value is right. */
export const withoutEffect: SettingRule<unknown> = () => undefined;

/** Only these values are carried out. */
export function oneOf<Value extends string | number>(...allowed: readonly Value[]): SettingRule<Value> {
  return (value, pointer, problems) => {
    if (allowed.includes(value)) return;
    const list = JSON.stringify(allowed);
    problems.push({
      pointer,
      text: `Should be equal to one of the allowed values in ${list}; others are not supported`,
    });
  };
}

/** An empty list or map says nothing; one that says something is refused. */
export const emptyOnly: SettingRule<object> = (value, pointer, problems) => {
  if (Object.keys(value).length > 0) problems.push({ pointer, text: 'This setting is not supported' });
};

/** Both rules. */
export function allOf<Value>(...rules: readonly SettingRule<Value>[]): SettingRule<Value> {
  return (value, pointer, problems) => {
    for (const rule of rules) rule(value, pointer, problems);
  };
}

/** The SDK's member names begin with a capital, the wire's do not. */
function wireName(member: string): string {
  return member.charAt(0).toLowerCase() + member.slice(1);
}

/** A member that has to be there, in the service's words. */
export function missing(pointer: string, member: string): Problem {
  return { pointer, text: `${member} is a required property`, isMissing: true };
}
