import { type Report, shown } from '../domain/finding.ts';
import type { ReadElement, ReadPolicy, ReadStatement, ReadValue } from '../domain/read-policy.ts';
import { hasWildcard, matchesWildcards } from './checked-policy.ts';

/** Comparisons in one element; what is beyond that is not looked at. */
const MAX_COMPARED = 40_000;

/** What says the same twice. */
export function checkRedundancy({ statements }: ReadPolicy, report: Report): void {
  for (const { action, resource } of statements) {
    const actions = redundantIn(action);
    if (actions.length > 0) {
      const details = `The ${actions.length} action(s) are redundant because they provide similar permissions. Update the policy to remove the redundant action such as: ${shown(actions[0]?.text ?? '')}.`;
      report.suggestion('REDUNDANT_ACTION', details, ...actions.map(({ place }) => place));
    }
    const resources = redundantIn(resource);
    if (resources.length > 0) {
      const details = `The ${resources.length} resource ARN(s) are redundant because they reference the same resource. Review the use of wildcards (*)`;
      report.suggestion('REDUNDANT_RESOURCE', details, ...resources.map(({ place }) => place));
    }
  }
  checkStatements(statements, report);
}

/** Values that another value of the same element covers. */
function redundantIn(element: ReadElement | undefined): ReadValue[] {
  const values = element?.values ?? [];
  const isCaseInsensitive = element?.name.endsWith('Action') === true;
  const fold = (text: string) => (isCaseInsensitive ? text.toLowerCase() : text);
  const seen = new Set<string>();
  const patterns = values.filter(({ text }) => hasWildcard(text) && !text.includes('${'));
  const isCovered = (value: ReadValue) =>
    patterns.some(
      (pattern) =>
        fold(pattern.text) !== fold(value.text) &&
        (isCaseInsensitive || pattern.text === '*' || sameCase(pattern.text, value.text)) &&
        matchesWildcards(pattern.text, value.text),
    );
  const isBounded = values.length * patterns.length <= MAX_COMPARED;
  return values.filter((value) => {
    const isDouble = seen.has(fold(value.text));
    seen.add(fold(value.text));
    return isDouble || (isBounded && isCovered(value));
  });
}

/** Resources tell upper and lower case apart: the letters of the pattern must stand in the text as they are. */
function sameCase(pattern: string, text: string): boolean {
  return pattern.split(/[*?]+/).every((part) => text.includes(part));
}

function checkStatements(statements: readonly ReadStatement[], report: Report): void {
  const byContent = new Map<string, ReadStatement>();
  for (const statement of statements) {
    const content = contentOf(statement);
    const first = byContent.get(content);
    if (first === undefined) byContent.set(content, statement);
    else {
      const details =
        'The statements are redundant because they provide identical permissions. Update the policy to remove the redundant statement.';
      report.suggestion('REDUNDANT_STATEMENT', details, first.place, statement.place);
    }
  }
}

function contentOf({ effect, action, resource, principals, conditions }: ReadStatement): string {
  const texts = ({ name, values }: ReadElement) => [name, values.map(({ text }) => text).toSorted()];
  const actions = action && [action.name, action.values.map(({ text }) => text.toLowerCase()).toSorted()];
  return JSON.stringify([
    effect,
    actions,
    resource && texts(resource),
    principals.map((item) => JSON.stringify([item.element, texts(item)])).toSorted(),
    conditions.map((item) => JSON.stringify([item.operator, texts(item)])).toSorted(),
  ]);
}
