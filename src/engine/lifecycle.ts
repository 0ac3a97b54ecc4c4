/**
 * When a step, a function or an engine may be used: one call at a time, and not after it was disposed.
 * Every engine keeps these rules by one of these objects.
 */

/** Guards one thing that has to be disposed. */
export class Lifecycle {
  readonly #what: string;
  #running: Promise<unknown> | undefined;
  #disposal: Promise<void> | undefined;

  /** @param what for messages: "step", "function" or "engine" */
  constructor(what: string) {
    this.#what = what;
  }

  /** @throws {Error} when it was disposed */
  checkUsable(): void {
    if (this.#disposal) {
      throw new Error(
        `Cannot use ${this.#what === "engine" ? "an" : "a"} ${this.#what} that was disposed`,
      );
    }
  }

  /**
   * Runs one call, if no other is running. What `body` throws comes back as a rejection.
   * @throws {Error} when it was disposed, or an earlier call is running
   */
  async use<T>(body: () => T | Promise<T>): Promise<T> {
    this.checkUsable();
    if (this.#running) {
      throw new Error(
        `Cannot use a ${this.#what} while an earlier call is running: await that call first`,
      );
    }
    const running = (async () => await body())();
    this.#running = running;
    try {
      return await running;
    } finally {
      this.#running = undefined;
    }
  }

  /** Releases it once, when a running call has ended; later calls wait for that and do nothing. */
  dispose(release: () => void | Promise<void>): Promise<void> {
    this.#disposal ??= (async () => {
      await this.#running?.catch(() => {}); // its caller gets the error
      await release();
    })();
    return this.#disposal;
  }
}

/** The steps and functions that an engine has open, which are disposed with it. */
export class OpenItems {
  readonly #items = new Set<{ dispose(): Promise<void> }>();
  readonly #life = new Lifecycle("engine");

  /** @throws {Error} when the engine was disposed */
  checkUsable(): void {
    this.#life.checkUsable();
  }

  /** Remembers an item; it has to call {@linkcode remove} when it is disposed. */
  add<T extends { dispose(): Promise<void> }>(item: T): T {
    this.#items.add(item);
    return item;
  }

  /** Forgets an item. */
  remove(item: { dispose(): Promise<void> }): void {
    this.#items.delete(item);
  }

  /** Disposes of all items, and of the engine. */
  dispose(): Promise<void> {
    return this.#life.dispose(async () => {
      for (const item of [...this.#items]) await item.dispose();
    });
  }
}
