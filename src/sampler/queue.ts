/** One after the other: ONNX Runtime fails when sessions are created or run at once under WebGPU. */

let last: Promise<unknown> = Promise.resolve();

/** Runs a task when all that were given before are done, whatever became of them. */
export function inTurn<T>(task: () => Promise<T>): Promise<T> {
  const result = last.then(task, task);
  last = result.catch(() => {});
  return result;
}
