/** Tells the demo's story on the terminal, and keeps count of the claims that held. */
export class Narrator {
  #chapter = 0;
  #claims = 0;
  readonly #broken: string[] = [];

  chapter(title: string): void {
    this.#chapter += 1;
    console.log(`\n${bold(`${this.#chapter}. ${title}`)}`);
  }

  /** Something that was done. */
  step(text: string): void {
    console.log(`   ${text}`);
  }

  /** A claim, with what was seen; false breaks the demo's promise. */
  claim(text: string, holds: boolean, seen = ''): void {
    this.#claims += 1;
    if (!holds) this.#broken.push(text);
    console.log(`   ${holds ? '✓' : '✗'} ${text}${seen === '' ? '' : `\n       ${seen}`}`);
  }

  /** A line that is written over, on a terminal only. */
  progress(text: string): void {
    if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K   … ${text}`);
  }

  clearProgress(): void {
    if (process.stdout.isTTY) process.stdout.write('\r\x1b[K');
  }

  /** @returns whether all claims held */
  conclude(): boolean {
    const held = this.#claims - this.#broken.length;
    console.log(`\n${bold(`${held} of ${this.#claims} claims held.`)}`);
    for (const text of this.#broken) console.log(`   ✗ ${text}`);
    return this.#broken.length === 0;
  }
}

function bold(text: string): string {
  return process.stdout.isTTY ? `\x1b[1m${text}\x1b[0m` : text;
}
