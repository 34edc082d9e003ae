export interface Progress {
  update(what: string, done: number, total?: number): void;
  /** Wipes the line, so that something else can be printed. */
  clear(): void;
}

const MIN_INTERVAL_MS = 100;

/** One line on the terminal that says how far long work has come; nothing where standard error is not a terminal. */
export function showProgress(): Progress {
  const { stderr } = process;
  let isShown = false;
  let lastUpdate = 0;
  return {
    update(what, done, total) {
      const now = Date.now();
      if (!stderr.isTTY || now - lastUpdate < MIN_INTERVAL_MS) return;
      lastUpdate = now;
      isShown = true;
      const count = total === undefined ? `${done}` : `${done} of ${total}`;
      // Some terminals say that they have no columns; a line that wraps could not be wiped.
      const columns = stderr.columns > 0 ? stderr.columns : 80;
      stderr.write(`\r\x1b[K${`${what}: ${count}`.slice(0, columns - 1)}`);
    },
    clear() {
      if (isShown) stderr.write('\r\x1b[K');
      isShown = false;
    },
  };
}
