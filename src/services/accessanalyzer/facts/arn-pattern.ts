/** What one place of a text may hold: a character, any one character, any text, or any text without `/` and `:`. */
type Symbol = string | typeof ONE | typeof ANY | typeof SEGMENT;

const ONE = 1;
const ANY = 2;
const SEGMENT = 3;

export interface ArnPattern {
  readonly symbols: readonly Symbol[];
  /** How the sixth field begins, up to its first wildcard; `undefined` where it cannot be told which one that is. */
  readonly start: string | undefined;
}

/** Names that never have a slash, though they end an ARN. */
const WITHOUT_SLASH = /^(?:BucketName|CreationTime|KeyId)$/;
const FIELDS_BEFORE = 5;

/** The form of a resource type's ARNs, such as `arn:${Partition}:s3:::${BucketName}/${ObjectName}`. */
export function compileArnFormat(format: string): ArnPattern {
  const symbols: Symbol[] = [];
  const parts = format.split(/(\$\{[^}]*\}|\*)/);
  const last = parts.findLastIndex((part) => part !== '');
  for (const [index, part] of parts.entries()) {
    const variable = /^\$\{(.*)\}$/.exec(part)?.[1];
    if (variable === undefined) pushText(symbols, part);
    else symbols.push(mayHaveSlash(variable, index === last) ? ANY : SEGMENT);
  }
  return { symbols, start: startOf(symbols) };
}

function mayHaveSlash(variable: string, isLast: boolean): boolean {
  return isLast ? !WITHOUT_SLASH.test(variable) : /Path|ObjectName/.test(variable);
}

/** A resource as a policy names it: with wildcards, and variables that may stand for anything. */
export function compileResource(text: string): ArnPattern {
  const symbols: Symbol[] = [];
  for (const part of text.split(/(\$\{[^}]*\})/)) {
    if (part.startsWith('${') && part.endsWith('}')) symbols.push(ANY);
    else pushText(symbols, part);
  }
  return { symbols, start: startOf(symbols) };
}

function pushText(symbols: Symbol[], text: string): void {
  for (const character of text) symbols.push(character === '*' ? ANY : character === '?' ? ONE : character);
}

function startOf(symbols: readonly Symbol[]): string | undefined {
  let fields = 0;
  let start = '';
  for (const symbol of symbols) {
    if (fields === FIELDS_BEFORE) {
      if (typeof symbol !== 'string') return start;
      start += symbol;
    } else if (symbol === ':') fields += 1;
    else if (symbol === ANY) return undefined;
  }
  return fields === FIELDS_BEFORE ? start : undefined;
}

/** What `intersects` costs, in steps. */
export function costOf(a: ArnPattern, b: ArnPattern): number {
  return startsDiffer(a, b) ? 1 : a.symbols.length * b.symbols.length;
}

function startsDiffer({ start: a }: ArnPattern, { start: b }: ArnPattern): boolean {
  return a !== undefined && b !== undefined && !a.startsWith(b) && !b.startsWith(a);
}

/** Whether there is a text that both patterns are about. Takes at most the product of their lengths. */
export function intersects(one: ArnPattern, other: ArnPattern): boolean {
  if (startsDiffer(one, other)) return false;
  const [a, b] = [one.symbols, other.symbols];
  // row[j]: whether what is left of `a` from i and of `b` from j can be the same text.
  let next = new Uint8Array(b.length + 1);
  let row = new Uint8Array(b.length + 1);
  for (let i = a.length; i >= 0; i--) {
    const x = a[i];
    for (let j = b.length; j >= 0; j--) {
      row[j] = canAgree(x, b[j], i === a.length ? 0 : (next[j] ?? 0), row[j + 1] ?? 0, next[j + 1] ?? 0) ? 1 : 0;
    }
    [next, row] = [row, next];
  }
  return next[0] === 1;
}

/** @param past, beyond, both whether the rests agree without `x`, without `y`, and without either */
function canAgree(x: Symbol | undefined, y: Symbol | undefined, past: number, beyond: number, both: number): boolean {
  if (x === undefined && y === undefined) return true;
  if (x === ANY || x === SEGMENT) {
    if (past === 1 || (beyond === 1 && y !== undefined && fits(x, y))) return true;
  }
  if (y === ANY || y === SEGMENT) return beyond === 1 || (past === 1 && x !== undefined && fits(y, x));
  if (x === undefined || y === undefined || x === ANY || x === SEGMENT) return false;
  return both === 1 && (x === ONE || y === ONE || x === y);
}

/** Whether a text of this kind may go on with that symbol. */
function fits(text: typeof ANY | typeof SEGMENT, symbol: Symbol): boolean {
  return text === ANY || typeof symbol !== 'string' || (symbol !== '/' && symbol !== ':');
}
