/** One line of the table. */
export interface Result {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly target: number;
  /** Whether the target is an upper bound. */
  readonly isAtMost: boolean;
  /** The figures behind the value. */
  readonly detail: string;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

export function isMet(result: Result): boolean {
  return result.isAtMost ? result.value <= result.target : result.value >= result.target;
}
