import type { ContextEntry } from '@aws-sdk/client-iam';
import { isIP } from 'node:net';
import { invalidInput } from '../errors.ts';

const IS_OF_TYPE: Readonly<Record<string, (value: string) => boolean>> = {
  string: () => true,
  numeric: (value) => /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/.test(value),
  boolean: (value) => /^(?:true|false)$/i.test(value),
  ip: (value) => {
    const [address = '', length] = value.split('/');
    return isIP(address) !== 0 && (length === undefined || /^\d{1,3}$/.test(length));
  },
  binary: (value) => /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(value),
  date: (value) => /^\d+$/.test(value) || (/^\d{4}-\d\d-\d\d/.test(value) && !Number.isNaN(Date.parse(value))),
};

/**
 * The condition keys that a simulation is given, by lower-case name.
 * @throws ServiceError InvalidInput for values that are not of their type
 */
export function readContextEntries(entries: readonly ContextEntry[]): Map<string, string | readonly string[]> {
  const context = new Map<string, string | readonly string[]>();
  for (const { ContextKeyName: name, ContextKeyType: type, ContextKeyValues: values } of entries) {
    if (name === undefined || type === undefined || values === undefined) {
      throw invalidInput('A context entry has ContextKeyName, ContextKeyType and ContextKeyValues.');
    }
    if (!/^[^:\s]+:./.test(name)) throw invalidInput(`Invalid context key ${name}: it has the format service:key.`);
    if (context.has(name.toLowerCase())) throw invalidInput(`The context key ${name} is given more than once.`);
    const isList = type.endsWith('List');
    const isRight = IS_OF_TYPE[type.replace(/List$/, '')];
    if (isRight === undefined) throw invalidInput(`There is no ContextKeyType ${String(type)}.`);
    const wrong = values.find((value) => !isRight(value));
    if (wrong !== undefined) throw invalidInput(`The value ${wrong} of ${name} is not of the type ${type}.`);
    if (!isList && values.length !== 1)
      throw invalidInput(`${name} has the type ${type}, and ${values.length} values.`);
    context.set(name.toLowerCase(), isList ? values : (values[0] ?? ''));
  }
  return context;
}
