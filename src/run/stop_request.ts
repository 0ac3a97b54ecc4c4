/** Asks a run in another process to save and stop: a file in its folder, which the run looks for. */

const POLL_MS = 500;

function requestFile(folder: string): string {
  return `${folder}/stop`;
}

/** Asks the run of a folder to save a checkpoint and stop, as Ctrl-C does. */
export async function requestStop(folder: string): Promise<void> {
  await Deno.writeTextFile(requestFile(folder), "");
}

/** Requests to stop, as a signal. Dispose of it to look no more. */
export interface StopRequests extends Disposable {
  /** Aborted once the run was asked to stop. */
  readonly signal: AbortSignal;
}

/** Looks for requests to stop from now on; earlier ones are forgotten. @param onRequest called at the first */
export function watchStopRequests(folder: string, onRequest: () => void): StopRequests {
  const controller = new AbortController();
  const file = requestFile(folder);
  remove(file);
  const timer = setInterval(() => {
    if (!remove(file)) return;
    clearInterval(timer);
    onRequest();
    controller.abort();
  }, POLL_MS);
  return { signal: controller.signal, [Symbol.dispose]: () => clearInterval(timer) };
}

/** @returns whether it was there */
function remove(file: string): boolean {
  try {
    Deno.removeSync(file);
    return true;
  } catch {
    return false;
  }
}
