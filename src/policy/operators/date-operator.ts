import type { Operator } from './operator.ts';
import { type OrderedKind, orderedOperator } from './ordered-operator.ts';

/** W3C's profile of ISO 8601, which AWS documents for dates: from a year alone to fractions of a second with a zone. */
const ISO_DATE =
  /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?)?)?$/;
/** Seconds since the epoch. Four digits are a year. */
const EPOCH_SECONDS = /^-?\d{5,14}(?:\.\d+)?$|^0$/;

/** Milliseconds since the epoch. */
function parseDate(text: string): number | undefined {
  if (EPOCH_SECONDS.test(text)) return Number(text) * 1000;
  const parts = ISO_DATE.exec(text);
  if (parts === null) return undefined;
  const [, year = '', month = '01', day = '01', hour = '00', minute = '00', second = '00', fraction = '', zone] = parts;
  const time = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  const date = new Date(time);
  const isReal =
    date.getUTCMonth() === Number(month) - 1 &&
    date.getUTCDate() === Number(day) &&
    Number(hour) < 24 &&
    Number(minute) < 60;
  if (!isReal) return undefined;
  return time + Number(`0${fraction}`) * 1000 - offsetOf(zone);
}

function offsetOf(zone: string | undefined): number {
  if (zone === undefined || zone === 'Z') return 0;
  const digits = zone.slice(1).replace(':', '');
  const minutes = Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2));
  return (zone.startsWith('-') ? -minutes : minutes) * 60_000;
}

const KIND: OrderedKind = { noun: 'a date', parse: parseDate };

/** An operator on dates. */
export function dateOperator(
  name: string,
  negatedName: string | undefined,
  compare: (actual: number, operand: number) => boolean,
): Operator {
  return orderedOperator(KIND, name, negatedName, compare);
}
