import { isIP } from 'node:net';
import { type Report, shown } from '../domain/finding.ts';
import type { ReadCondition, ReadValue } from '../domain/read-policy.ts';
import type { KeyType } from '../facts/authorization-facts.ts';
import type { OperatorParts } from './condition-checks.ts';
import { hasWildcard } from './checked-policy.ts';

type Family = 'String' | 'Numeric' | 'Date' | 'Bool' | 'Binary' | 'IpAddress' | 'Arn';

const REGION = /^[a-z]{2}(?:-[a-z]+)+-\d$/;
const DATE = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/;
/** What operators on other kinds of values than the key's are taken for right: ARNs and times are texts, too. */
const ALLOWED: Readonly<Record<KeyType['kind'], readonly Family[]>> = {
  String: ['String'],
  ARN: ['Arn', 'String'],
  Bool: ['Bool'],
  Numeric: ['Numeric'],
  Date: ['Date', 'Numeric'],
  IPAddress: ['IpAddress'],
  Binary: ['Binary'],
};
const NAMES: Readonly<Record<KeyType['kind'], string>> = {
  String: 'String',
  ARN: 'ARN',
  Bool: 'Boolean',
  Numeric: 'Numeric',
  Date: 'Date',
  IPAddress: 'IP address',
  Binary: 'Binary',
};

function familyOf(base: string): Family | undefined {
  if (base.startsWith('string')) return 'String';
  if (base.startsWith('numeric')) return 'Numeric';
  if (base.startsWith('date')) return 'Date';
  if (base.startsWith('arn')) return 'Arn';
  if (base === 'bool') return 'Bool';
  if (base === 'binaryequals') return 'Binary';
  return base.endsWith('ipaddress') ? 'IpAddress' : undefined;
}

/** Whether the values of a condition are such as its operator and its key have. */
export function checkOperands(
  condition: ReadCondition,
  key: KeyType | undefined,
  parts: OperatorParts,
  report: Report,
): void {
  const { operator, operatorPlace, values, place } = condition;
  const family = familyOf(parts.base);
  if (parts.base === 'null') {
    checkBooleans(values, operator, report);
    return;
  }
  if (family === undefined) return;
  if (key !== undefined && !ALLOWED[key.kind].includes(family)) {
    const details = `Use the operator type ${NAMES[key.kind]} instead of operator ${operator} for the condition key ${key.key}.`;
    report.warning('TYPE_MISMATCH', details, operatorPlace);
    return;
  }
  if (family === 'Bool' && values.length > 1) {
    const details = 'The condition key does not support multiple Boolean values. Use a single Boolean value.';
    report.error('INVALID_CONDITION_MULTIPLE_BOOLEAN', details, place);
  }
  if (new Set(values.map(({ type }) => type)).size > 1) {
    const details = 'The condition value data types do not match. Use condition values of the same JSON data type.';
    report.error('INVALID_CONDITION_DATA_TYPE', details, place);
  }
  const isVariable = ({ text }: ReadValue) => text.includes('${');
  if (family !== 'String' && family !== 'Arn') {
    for (const value of values.filter(isVariable)) {
      const details = 'Policy variables can only be used with String and ARN operators.';
      report.error('INVALID_VARIABLE_FOR_OPERATOR', details, value.place);
    }
  }
  const plain = values.filter((value) => !isVariable(value));
  checkFamily(plain, family, condition, report);
  if (parts.base.startsWith('stringequals') || parts.base.startsWith('stringnotequals')) {
    for (const value of plain.filter(({ text }) => hasWildcard(text))) {
      const details =
        'Your condition value includes a * or ? character. If you meant to use a wildcard (*, ?), update the condition operator to include Like.';
      report.warning('WILDCARD_WITHOUT_LIKE_OPERATOR', details, value.place);
    }
  }
  if (key?.key === 'aws:RequestedRegion') {
    for (const { text, place: at } of plain.filter((value) => !hasWildcard(value.text) && !REGION.test(value.text))) {
      const details = `The Region ${shown(text)} is not valid. Update the condition value to a supported Region.`;
      report.error('INVALID_REGION', details, at);
    }
  }
  checkBounds(condition, parts, report);
}

function checkFamily(values: readonly ReadValue[], family: Family, { operator }: ReadCondition, report: Report): void {
  switch (family) {
    case 'Numeric':
      checkValues(
        values,
        ({ text }) => /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/.test(text),
        () => {
          return ['TYPE_MISMATCH_NUMBER', `Add a valid numeric value for the condition operator ${operator}.`];
        },
        report,
      );
      return;
    case 'Date':
      checkValues(
        values,
        ({ text }) => /^\d+$/.test(text) || (DATE.test(text) && !Number.isNaN(Date.parse(text))),
        () => {
          return [
            'TYPE_MISMATCH_DATE',
            'The date condition operator is used with an invalid value. Specify a valid date using YYYY-MM-DD or other ISO 8601 date/time format.',
          ];
        },
        report,
      );
      return;
    case 'Bool':
      checkBooleans(values, operator, report);
      return;
    case 'Binary':
      checkValues(
        values,
        ({ text }) => /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text),
        () => {
          return [
            'TYPE_MISMATCH_STRING',
            `Add a valid base64-encoded string value for the condition operator ${operator}.`,
          ];
        },
        report,
      );
      return;
    case 'IpAddress':
      for (const value of values) checkRange(value, operator, report);
      return;
    case 'String':
    case 'Arn':
  }
}

function checkBooleans(values: readonly ReadValue[], operator: string, report: Report): void {
  const details = `Add a valid Boolean value (true or false) for the condition operator ${operator}.`;
  const isRight = ({ text }: ReadValue): boolean => /^(?:true|false)$/i.test(text);
  checkValues(values, isRight, () => ['TYPE_MISMATCH_BOOLEAN', details], report);
}

function checkValues(
  values: readonly ReadValue[],
  isRight: (value: ReadValue) => boolean,
  finding: () => readonly [code: string, details: string],
  report: Report,
): void {
  for (const value of values) {
    if (isRight(value)) continue;
    const [code, details] = finding();
    report.warning(code, details, value.place);
  }
}

function checkRange({ text, place }: ReadValue, operator: string, report: Report): void {
  const [address = '', length, ...rest] = text.split('/');
  const version = isIP(address);
  const bits = version === 6 ? 128 : 32;
  const isLength = length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= bits);
  if (version === 0 || !isLength || rest.length > 0) {
    const details = `The condition operator ${operator} is used with an invalid IP range value. Specify the IP range in standard CIDR format.`;
    report.warning('TYPE_MISMATCH_IP_RANGE', details, place);
    return;
  }
  if (version !== 4 || length === undefined) return;
  const number = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - Number(length));
  const first = Math.floor(number / size) * size;
  if (first === number) return;
  const masked = [24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256).join('.');
  const details = `The non-zero bits in the IP address after the masked bits are ignored. Replace address with ${masked}/${length}.`;
  report.suggestion('IMPROVE_IP_RANGE', details, place);
}

/** Of several bounds of one kind only the widest says anything. */
function checkBounds({ operator, name, values, place }: ReadCondition, { base }: OperatorParts, report: Report): void {
  const isBound = /^(?:numeric|date)(?:less|greater)than/.test(base);
  if (!isBound || values.length < 2) return;
  const which = base.includes('less') ? 'greatest' : 'least';
  const details = `Multiple values in ${operator} are redundant. Replace with the ${which} single value for ${shown(name)}.`;
  report.suggestion('REDUNDANT_CONDITION_VALUE_NUM', details, place);
}
