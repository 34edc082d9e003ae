import type { Violation } from '#kernel/service.ts';

const NAME = '[\\w+=,.@-]+';
const DOCUMENT = '[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+';
const PATH = '(\\u002F)|(\\u002F[\\u0021-\\u007E]+\\u002F)';

/** What IAM says of names, documents and paths with characters that they cannot have; the rest it says as other services do. */
export function invalidValueMessage(violations: readonly Violation[]): string | undefined {
  const [violation, ...others] = violations;
  if (violation?.kind !== 'pattern' || others.length > 0 || violation.path.length !== 1) return undefined;
  const [name = ''] = violation.path;
  const member = `${String(name).charAt(0).toLowerCase()}${String(name).slice(1)}`;
  const rule = ruleOf(violation.constraint.pattern, member);
  return rule === undefined ? undefined : `The specified value for ${member} is invalid. It must ${rule}`;
}

function ruleOf(pattern: string | undefined, member: string): string | undefined {
  if (pattern === NAME) return 'contain only alphanumeric characters and/or the following: +=,.@_-';
  if (pattern === DOCUMENT && /document$/i.test(member)) return 'contain only printable ASCII characters.';
  if (pattern === PATH) return 'begin and end with / and contain only alphanumeric characters and/or / characters.';
  return undefined;
}
