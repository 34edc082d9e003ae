/** Bytes of a block: what goes to the disk at a time. */
export const BLOCK_SIZE = 1024 * 1024;
const SLAB_BLOCKS = 16;
const PAGE_OF_MEMORY = 64 * 1024;
// The part of it that is used; TypeScript knows it only together with the browser's other globals.
declare const WebAssembly: { readonly Memory: new (size: { initial: number }) => { readonly buffer: ArrayBuffer } };

/**
 * Blocks of memory that begin at a page's start, as direct I/O needs them (open(2), O_DIRECT), to be used again and
 * again. Node's own buffers begin anywhere; WebAssembly's memories begin at a page's start.
 */
export class AlignedBlocks {
  readonly #free: Buffer[] = [];

  take(): Buffer {
    const block = this.#free.pop();
    if (block !== undefined) return block;
    const { buffer } = new WebAssembly.Memory({ initial: (SLAB_BLOCKS * BLOCK_SIZE) / PAGE_OF_MEMORY });
    for (let index = SLAB_BLOCKS - 1; index > 0; index--) {
      this.#free.push(Buffer.from(buffer, index * BLOCK_SIZE, BLOCK_SIZE));
    }
    return Buffer.from(buffer, 0, BLOCK_SIZE);
  }

  /** Takes a block back, which its last owner must not touch any more. */
  give(block: Buffer): void {
    this.#free.push(block);
  }
}
