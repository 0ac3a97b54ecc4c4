/** One after the other: ONNX Runtime fails when sessions are created or run at once under WebGPU. */

let last: Promise<unknown> = Promise.resolve();

/** Runs a task when all that were given before are done, whatever became of them. */
export function inTurn<T>(task: () => Promise<T>): Promise<T> {
  const result = last.then(task, task);
  last = result.catch(() => {});
  return result;
}

/**
 * Waits for a promise, or until a signal says to stop; what comes later is handed to `drop`.
 * @throws the signal's reason
 */
export function untilAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
  drop: (late: T) => void = () => {},
): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const stop = () => {
      reject(signal.reason);
      promise.then(drop, () => {});
    };
    if (signal.aborted) return stop();
    signal.addEventListener("abort", stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}
