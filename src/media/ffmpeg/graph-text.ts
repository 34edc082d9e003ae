/**
 * One step of a chain of filters: a filter, or a filter that joins another picture to the one on its way. The names in
 * it are unique in a graph.
 */
export type Step = string | Join;

interface Join {
  /** The name by which the filters below refer to the picture on its way. */
  readonly name: string;
  /** Where the other picture comes from: a chain that begins with a source. */
  readonly other: string;
  /** Takes the film's picture first, the other second. */
  readonly filter: string;
}

/**
 * Writes a chain as FFmpeg's graphs are written.
 *
 * @param from what comes before it: a label such as `[s0]`, or a source
 * @param to what comes behind it
 */
export function writeChain(from: string, steps: readonly Step[], to: string): string {
  let text = from;
  let hasFilters = !from.endsWith(']');
  for (const step of steps) {
    if (typeof step === 'string') {
      text += `${hasFilters ? ',' : ''}${step}`;
    } else {
      const { name, other, filter } = step;
      text += `${hasFilters ? '' : 'null'}[${name}a];${other}[${name}b];[${name}a][${name}b]${filter}`;
    }
    hasFilters = true;
  }
  if (to.startsWith('[')) return `${text}${hasFilters ? '' : 'null'}${to}`;
  return `${text}${hasFilters ? ',' : ''}${to}`;
}
