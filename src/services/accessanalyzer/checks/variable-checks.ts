import { type Report, shown } from '../domain/finding.ts';
import type { ReadPolicy, ReadValue } from '../domain/read-policy.ts';

/** Whether `${…}` is written right, and stands where it means something. */
export function checkVariables({ version, statements }: ReadPolicy, report: Report): void {
  const hasVariables = version === '2012-10-17';
  for (const { action, resource, principals, conditions } of statements) {
    for (const value of [...(action?.values ?? []), ...principals.flatMap(({ values }) => values)]) {
      const found = /\$\{[^}]*\}/.exec(value.text)?.[0];
      if (found === undefined) continue;
      const details = `Policy variables are supported in the Resource and Condition elements. Remove the policy variable ${shown(found)} from this element.`;
      report.error('VARIABLE_UNSUPPORTED_IN_ELEMENT', details, value.place);
    }
    for (const value of [...(resource?.values ?? []), ...conditions.flatMap(({ values }) => values)]) {
      checkText(value, hasVariables, report);
    }
  }
}

function checkText({ text, place }: ReadValue, hasVariables: boolean, report: Report): void {
  if (!text.includes('${')) return;
  if (!hasVariables) {
    const details = 'To include variables in your policy, use the policy version 2012-10-17 or later.';
    report.error('VARIABLE_UNSUPPORTED_IN_VERSION', details, place);
    return;
  }
  for (let at = text.indexOf('${'); at !== -1; at = text.indexOf('${', at + 2)) {
    const end = text.indexOf('}', at);
    if (end === -1) {
      const details = 'The policy variable is missing a closing curly brace. Add } after the variable text.';
      report.error('MISSING_BRACE_IN_VARIABLE', details, place);
      return;
    }
    checkVariable(text.slice(at + 2, end), place, report);
  }
}

function checkVariable(inner: string, place: ReadValue['place'], report: Report): void {
  const comma = inner.indexOf(',');
  const name = comma === -1 ? inner : inner.slice(0, comma);
  if (inner.trim() === '') {
    const details =
      'Empty policy variable. Remove the ${ } variable structure or provide a variable within the structure.';
    report.error('EMPTY_VARIABLE', details, place);
  } else if (/\s/.test(name.trim()) || (comma === -1 && name !== name.trim())) {
    const details = 'A space is not supported within the policy variable text. Remove the space.';
    report.error('UNSUPPORTED_SPACE_IN_VARIABLE', details, place);
  } else if (comma !== -1 && !/^'[^']*'$/.test(inner.slice(comma + 1).trim())) {
    const details = 'The policy variable default value must begin and end with a single quote. Add the missing quote.';
    report.error('MISSING_QUOTE_IN_VARIABLE', details, place);
  }
}
