/** What one place of a text may hold: a character, any one character, any text, or any text without `/` and `:`. */
type Symbol = string | typeof ONE | typeof ANY | typeof SEGMENT;

const ONE = 1;
const ANY = 2;
const SEGMENT = 3;

export type ArnPattern = readonly Symbol[];

/** Names that never have a slash, though they end an ARN. */
const WITHOUT_SLASH = /^(?:BucketName|CreationTime|KeyId)$/;

/** The form of a resource type's ARNs, such as `arn:${Partition}:s3:::${BucketName}/${ObjectName}`. */
export function compileArnFormat(format: string): ArnPattern {
  const symbols: Symbol[] = [];
  const parts = format.split(/(\$\{[^}]*\}|\*)/);
  const last = parts.findLastIndex((part) => part !== '');
  for (const [index, part] of parts.entries()) {
    const variable = /^\$\{(.*)\}$/.exec(part)?.[1];
    if (part === '*') symbols.push(ANY);
    else if (variable === undefined) symbols.push(...part.split(''));
    else
      symbols.push(
        index === last && !WITHOUT_SLASH.test(variable) ? ANY : /Path|ObjectName/.test(variable) ? ANY : SEGMENT,
      );
  }
  return symbols;
}

/** A resource as a policy names it: with wildcards, and variables that may stand for anything. */
export function compileResource(text: string): ArnPattern {
  const symbols: Symbol[] = [];
  for (const part of text.split(/(\$\{[^}]*\}|\*|\?)/)) {
    if (part === '?') symbols.push(ONE);
    else if (part === '*' || (part.startsWith('${') && part.endsWith('}'))) symbols.push(ANY);
    else symbols.push(...part.split(''));
  }
  return symbols;
}

/** Whether there is a text that both patterns are about. Takes at most the product of their lengths. */
export function intersects(a: ArnPattern, b: ArnPattern): boolean {
  const isText = (symbol: Symbol | undefined) => symbol === ANY || symbol === SEGMENT;
  // row[j]: whether what is left of `a` from i and of `b` from j can be the same text.
  let next: boolean[] = [];
  for (let i = a.length; i >= 0; i--) {
    const row: boolean[] = Array.from({ length: b.length + 1 }, () => false);
    for (let j = b.length; j >= 0; j--) {
      const [x, y] = [a[i], b[j]];
      if (x === undefined && y === undefined) row[j] = true;
      else if (isText(x) && (next[j] === true || (y !== undefined && fits(x, y) && row[j + 1] === true))) row[j] = true;
      else if (isText(y) && (row[j + 1] === true || (x !== undefined && fits(y, x) && next[j] === true))) row[j] = true;
      else if (x !== undefined && y !== undefined && !isText(x) && !isText(y) && fitsOne(x, y))
        row[j] = next[j + 1] === true;
    }
    next = row;
  }
  return next[0] === true;
}

/** Whether a text of this kind may go on with that symbol. */
function fits(text: Symbol | undefined, symbol: Symbol): boolean {
  if (text === ANY || typeof symbol !== 'string') return true;
  return symbol !== '/' && symbol !== ':';
}

function fitsOne(x: Symbol, y: Symbol): boolean {
  return x === ONE || y === ONE || x === y;
}
