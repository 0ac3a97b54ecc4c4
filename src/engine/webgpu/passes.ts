/** Shortens a recorded step: the same work is done once, and work that nobody uses is not done. */
import {
  accumulates,
  mapBuffers,
  type Operation,
  readsOf,
  signatureOf,
  type StepGraph,
  type Value,
  writesOf,
} from "./graph.ts";

/** How many operations write each buffer. */
function countWriters(operations: Operation[]): Map<GPUBuffer, number> {
  const writers = new Map<GPUBuffer, number>();
  for (const operation of operations) {
    for (const buffer of writesOf(operation)) {
      writers.set(buffer, (writers.get(buffer) ?? 0) + 1);
    }
  }
  return writers;
}

/** Constants with more values than this are not compared with each other. */
const COMPARED_NUMBERS = 4096;

/** Common subexpressions: an operation that repeats an earlier one is dropped, and its readers moved. */
export function shareRepeatedWork(graph: StepGraph): StepGraph {
  const replacement = new Map<GPUBuffer, GPUBuffer>();
  const resolve = (buffer: GPUBuffer) => replacement.get(buffer) ?? buffer;
  const constants = new Map<string, GPUBuffer>();
  for (const { source, buffer } of graph.values) {
    if (source.kind !== "constant" || source.data.length > COMPARED_NUMBERS) continue;
    const words = new Int32Array(source.data.buffer, source.data.byteOffset, source.data.length);
    const key = words.join();
    const known = constants.get(key);
    if (known) replacement.set(buffer, known);
    else constants.set(key, buffer);
  }
  const ids = new Map<object, number>();
  const idOf = (thing: object) => {
    if (!ids.has(thing)) ids.set(thing, ids.size);
    return ids.get(thing)!;
  };
  const writers = countWriters(graph.operations);
  const done = new Map<string, Operation>();
  const operations: Operation[] = [];
  for (const original of graph.operations) {
    const operation = mapBuffers(original, resolve);
    const outputs = writesOf(operation);
    const pure = !accumulates(operation) && outputs.every((buffer) => writers.get(buffer) === 1);
    if (pure) {
      const signature = signatureOf(operation, idOf);
      const same = done.get(signature);
      if (same) {
        writesOf(same).forEach((buffer, k) => replacement.set(outputs[k], buffer));
        continue;
      }
      done.set(signature, operation);
    }
    operations.push(operation);
  }
  const moved = (map: Map<string, Value>) =>
    new Map([...map].map(([name, value]) => [name, graph.valueOf(resolve(value.buffer))]));
  return { ...graph, operations, state: moved(graph.state), scalars: moved(graph.scalars) };
}

/** Drops operations whose results reach neither the state nor a scalar. */
export function dropUnusedWork(graph: StepGraph): StepGraph {
  const needed = new Set(
    [...graph.state.values(), ...graph.scalars.values()].map(({ buffer }) => buffer),
  );
  const operations: Operation[] = [];
  for (const operation of graph.operations.toReversed()) {
    if (!writesOf(operation).some((buffer) => needed.has(buffer))) continue;
    readsOf(operation).forEach((buffer) => needed.add(buffer));
    operations.push(operation);
  }
  return { ...graph, operations: operations.toReversed() };
}
