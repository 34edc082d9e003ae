import { DecodeFailure } from './decode-failure.ts';

/** How a timestamp stands on the wire. The SDK's schemas say so by number: 4 is the protocol's own default. */
export type TimestampFormat = 'date-time' | 'http-date' | 'epoch-seconds';

const DATE_TIME_SCHEMA = 5;
const HTTP_DATE_SCHEMA = 6;
const EPOCH_SECONDS_SCHEMA = 7;

export function timestampFormatOf(schema: unknown, standard: TimestampFormat): TimestampFormat {
  if (schema === DATE_TIME_SCHEMA) return 'date-time';
  if (schema === HTTP_DATE_SCHEMA) return 'http-date';
  if (schema === EPOCH_SECONDS_SCHEMA) return 'epoch-seconds';
  return standard;
}

const DATE_TIME = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(\.\d{1,9})?([Zz]|[+-]\d\d:?\d\d)$/;
const RFC_1123 = /^[A-Za-z]{3}, (\d{1,2}) ([A-Za-z]{3}) (\d{4}) (\d\d):(\d\d):(\d\d)(?:\.\d{1,9})? (?:GMT|UTC|\+0000)$/;
const RFC_850 = /^[A-Za-z]{6,9}, (\d\d)-([A-Za-z]{3})-(\d\d) (\d\d):(\d\d):(\d\d) GMT$/;
const ASCTIME = /^[A-Za-z]{3} ([A-Za-z]{3}) ([ \d]\d) (\d\d):(\d\d):(\d\d) (\d{4})$/;
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const MAX_MILLISECONDS = 8.64e15;

/** @throws DecodeFailure when the text is not a timestamp in `format`. */
export function parseTimestamp(text: string, format: TimestampFormat): Date {
  const date = parseTimestampIn(text.trim(), format);
  if (date === undefined) throw new DecodeFailure(`'${abbreviate(text)}' is not a valid ${format} timestamp`);
  return date;
}

function parseTimestampIn(text: string, format: TimestampFormat): Date | undefined {
  switch (format) {
    case 'date-time':
      return parseDateTime(text);
    case 'http-date':
      return parseHttpDate(text);
    case 'epoch-seconds':
      return NUMBER.test(text) ? dateFromSeconds(Number(text)) : undefined;
  }
}

export function dateFromSeconds(seconds: number): Date | undefined {
  const milliseconds = Math.round(seconds * 1000);
  return Math.abs(milliseconds) <= MAX_MILLISECONDS ? new Date(milliseconds) : undefined;
}

function parseDateTime(text: string): Date | undefined {
  const match = DATE_TIME.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction, zone = 'Z'] = match;
  const date = dateOf(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  if (date === undefined) return undefined;
  const milliseconds = fraction === undefined ? 0 : Math.floor(Number(fraction) * 1000);
  let offset = 0;
  if (zone.length > 1) {
    const digits = zone.replace(':', '');
    offset = (Number(digits.slice(1, 3)) * 60 + Number(digits.slice(3, 5))) * 60_000 * (zone.startsWith('-') ? -1 : 1);
  }
  return new Date(date.getTime() + milliseconds - offset);
}

/** All three forms that HTTP knows (RFC 9110, 5.6.7), and AWS's with a fraction of the second. */
export function parseHttpDate(text: string): Date | undefined {
  let match = RFC_1123.exec(text);
  if (match !== null) return httpDateOf(match[3], match[2], match[1], match.slice(4, 7));
  match = RFC_850.exec(text);
  if (match !== null) {
    const year = Number(match[3]);
    return httpDateOf(String(year < 70 ? 2000 + year : 1900 + year), match[2], match[1], match.slice(4, 7));
  }
  match = ASCTIME.exec(text);
  return match === null ? undefined : httpDateOf(match[6], match[1], match[2], match.slice(3, 6));
}

function httpDateOf(year = '', month = '', day = '', time: readonly string[] = []): Date | undefined {
  const index = MONTHS.indexOf(month.toLowerCase());
  if (index < 0) return undefined;
  return dateOf(Number(year), index, Number(day), Number(time[0]), Number(time[1]), Number(time[2]));
}

/** Refuses what `Date.UTC` would carry over, such as the 31st of April. */
function dateOf(y: number, month: number, d: number, h: number, min: number, s: number): Date | undefined {
  const date = new Date(0);
  date.setUTCFullYear(y, month, d);
  if (date.getUTCMonth() !== month || date.getUTCDate() !== d || h > 23 || min > 59 || s > 60) return undefined;
  date.setUTCHours(h, min, Math.min(s, 59));
  return date;
}

/** A timestamp for a header or an XML element. Dates before year 0 or after 9999 do not occur in AWS's API. */
export function formatTimestamp(date: Date, format: TimestampFormat): string {
  switch (format) {
    case 'date-time':
      return date.toISOString();
    case 'http-date':
      return date.toUTCString();
    case 'epoch-seconds':
      return String(date.getTime() / 1000);
  }
}

const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?$/;
const SPECIAL_NUMBERS: Readonly<Record<string, number>> = { NaN, Infinity, '-Infinity': -Infinity };

/** A number in a header, a label, a query parameter or an XML element. @throws DecodeFailure */
export function parseNumber(text: string): number {
  if (NUMBER.test(text)) {
    const value = Number(text);
    if (Number.isFinite(value)) return value;
  }
  const special = Object.hasOwn(SPECIAL_NUMBERS, text) ? SPECIAL_NUMBERS[text] : undefined;
  if (special === undefined) throw new DecodeFailure(`'${abbreviate(text)}' is not a number`);
  return special;
}

/** @throws DecodeFailure */
export function parseBoolean(text: string): boolean {
  if (text === 'true' || text === 'True' || text === 'TRUE') return true;
  if (text === 'false' || text === 'False' || text === 'FALSE') return false;
  throw new DecodeFailure(`'${abbreviate(text)}' is not true or false`);
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** @throws DecodeFailure when the text is not base64 with its padding. Says nothing of the text: it may be secret. */
export function parseBase64(text: string): Buffer {
  if (text.length % 4 !== 0 || !BASE64.test(text)) throw new DecodeFailure('The value is not valid base64');
  return Buffer.from(text, 'base64');
}

/** @throws DecodeFailure for half surrogates, which no UTF-8 text can hold. */
export function checkText(text: string): string {
  if (!text.isWellFormed()) throw new DecodeFailure('The text is not valid Unicode');
  return text;
}

const MAX_SHOWN = 64;

function abbreviate(text: string): string {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
