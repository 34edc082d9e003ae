import type { Door } from '#kernel/door.ts';

/** Services call one another through the gateway, which is made of the services: the door is made first, opened last. */
export class LateDoor implements Door {
  #door: Door | undefined;

  open(door: Door): void {
    this.#door = door;
  }

  invoke(...call: Parameters<Door['invoke']>): Promise<unknown> {
    return this.#opened().invoke(...call);
  }

  refusals(...call: Parameters<Door['refusals']>): ReturnType<Door['refusals']> {
    return this.#opened().refusals(...call);
  }

  #opened(): Door {
    if (this.#door === undefined) throw new Error('The platform is not composed yet.');
    return this.#door;
  }
}
