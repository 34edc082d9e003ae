/** How many single changes (put in, left out, another one, two exchanged) lead from one text to the other; stops at a limit. */
function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      let best = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (isSame ? 0 : 1));
      if (a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, (before[j - 2] ?? 0) + 1);
      row.push(best);
    }
    if (Math.min(...row) > limit) return limit + 1;
    before = last;
    last = row;
  }
  return last[b.length] ?? limit + 1;
}

const MAX_LENGTH = 100;

/**
 * The candidate that somebody who wrote `text` most likely meant; `undefined` when none is near.
 * @param candidates as they are spelled right; their case does not matter
 */
export function nearest(text: string, candidates: Iterable<string>): string | undefined {
  if (text === '' || text.length > MAX_LENGTH) return undefined;
  const wanted = text.toLowerCase();
  let best: string | undefined;
  let limit = Math.max(1, Math.min(4, Math.floor(wanted.length / 3))) + 1;
  for (const candidate of candidates) {
    const found = distance(wanted, candidate.toLowerCase(), limit - 1);
    if (found >= limit) continue;
    limit = found;
    best = candidate;
    if (found === 0) break;
  }
  return best;
}
