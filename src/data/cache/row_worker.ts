/**
 * Reads rows ahead of training on a thread of its own, so that the disk works while a step computes and
 * the thread of the step is busy.
 */
import { crc32 } from "node:zlib";
import { readInto } from "./cache_file.ts";
import { COUNTER, type QueueSetup, type RowRequest } from "./row_queue.ts";

/** What the worker receives: first its setup, then one request after the other. */
export type RowMessage = QueueSetup | RowRequest;

/** The part of a worker's global scope that is used. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<RowMessage>) => void) | null;
}

let reader: ((request: RowRequest) => void) | undefined;

(globalThis as unknown as WorkerScope).onmessage = ({ data }) => {
  if ("ring" in data) reader = openReader(data);
  else reader?.(data);
};

function openReader(setup: QueueSetup): (request: RowRequest) => void {
  const { path, rowSize, rowsOffset, rowSums, slots, slotBytes } = setup;
  const counters = new Int32Array(setup.counters);
  const ring = new Uint8Array(setup.ring);
  const row = new Uint8Array(rowSize); // checksums take memory that is not shared
  let file: Deno.FsFile | undefined;
  return ({ place, numbers }) => {
    try {
      file ??= Deno.openSync(path, { read: true });
      for (;;) { // until a slot is free
        const taken = Atomics.load(counters, COUNTER.taken);
        if (place - taken < slots) break;
        if (Atomics.load(counters, COUNTER.closed)) return;
        Atomics.wait(counters, COUNTER.taken, taken, 1000); // it may be closed just before the wait
      }
      const start = (place % slots) * slotBytes;
      for (let k = 0; k < numbers.length; k++) {
        const read = readInto(file, rowsOffset + numbers[k] * rowSize, row);
        if (read < rowSize || crc32(row) !== rowSums[numbers[k]]) throw new Error("damaged");
        ring.set(row, start + k * rowSize);
      }
      Atomics.store(counters, COUNTER.filled, place + 1);
    } catch {
      Atomics.store(counters, COUNTER.failed, 1); // the other thread reads, and says what is wrong
    }
    Atomics.notify(counters, COUNTER.filled);
  };
}
