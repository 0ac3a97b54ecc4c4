/// <reference lib="dom" />
/** Small helpers of the page. */

/** The element of an id. */
export function byId<E extends HTMLElement>(id: string): E {
  const found = document.getElementById(id);
  if (found === null) throw new TypeError(`The page has no element #${id}`);
  return found as E;
}

/** A number of an input, or `fallback` while it holds none in its range. */
export function numberOf(input: HTMLInputElement, fallback: number): number {
  return input.value !== "" && input.validity.valid ? input.valueAsNumber : fallback;
}

/**
 * Runs the newest request only: while one runs, of those that come only the last is kept. A slider so
 * never gets behind the hand. Meanwhile `shown`, what the task draws, is marked as busy.
 */
export function latestOnly(shown: HTMLElement, task: () => Promise<void>): () => void {
  let running = false, again = false;
  const run = async () => {
    if (running) {
      again = true;
      return;
    }
    running = true;
    shown.ariaBusy = "true";
    do {
      again = false;
      await task();
    } while (again);
    running = false;
    shown.ariaBusy = "false";
  };
  return () => void run();
}

/** Offers bytes as a download. */
export function saveFile(bytes: Uint8Array<ArrayBuffer>, name: string, type: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([bytes], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
