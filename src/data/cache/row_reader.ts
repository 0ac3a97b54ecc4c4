/**
 * The rows of a file that is not held in memory: a cache file, or an array of bytes as the user has it. Rows
 * that were announced are read ahead by a worker; all others are read when they are asked for. Either way
 * these are the file's bytes, and each row is checked against its checksum.
 */
import { crc32 } from "node:zlib";
import { UserError } from "../../errors.ts";
import { readInto } from "./cache_file.ts";
import { COUNTER, type QueueSetup, type RowRequest } from "./row_queue.ts";
import type { RowMessage } from "./row_worker.ts";

/** Rows of one size, one after the other in a file. */
export interface RowFile {
  path: string;
  /** How many rows there are. */
  count: number;
  /** Bytes of a row. */
  rowSize: number;
  /** The first row's first byte. */
  rowsOffset: number;
  /** `[count]` CRC-32 of each row. */
  rowSums: Uint32Array;
  /** Whether it is ours: a damaged one is removed, so that it is made again. */
  isCache: boolean;
}

/** Memory for rows that are read ahead. */
const RING_BYTES = 96e6;
const MAX_SLOTS = 64;

/** Reads rows by their numbers. Close it to free the file and the worker. */
export class RowReader {
  /** How many rows there are. */
  readonly count: number;
  /** Bytes of a row. */
  readonly rowSize: number;
  readonly #rows: RowFile;
  readonly #file: Deno.FsFile;
  #queue: RowQueue | undefined;

  /**
   * Opens the file.
   * @throws errors of the file system
   */
  constructor(rows: RowFile) {
    this.#rows = rows;
    this.#file = Deno.openSync(rows.path, { read: true });
    this.count = rows.count;
    this.rowSize = rows.rowSize;
  }

  /** The most requests that are read ahead. */
  requestsAhead(rows: number): number {
    return Math.max(2, Math.min(MAX_SLOTS, Math.floor(RING_BYTES / (rows * this.rowSize))));
  }

  /** Says which rows will be taken next, after those that were announced before. */
  readAhead(numbers: Uint32Array): void {
    if (this.#queue && this.#queue.rows !== numbers.length) this.#closeQueue();
    this.#queue ??= new RowQueue(this.#rows, {
      rows: numbers.length,
      slots: this.requestsAhead(numbers.length),
    });
    this.#queue.request(numbers);
  }

  /** Forgets what was announced. */
  restart(): void {
    this.#closeQueue();
  }

  /**
   * The bytes of rows.
   * @returns `[numbers.length, rowSize]`; valid until the next call
   * @throws {UserError} when the file is damaged
   */
  take(numbers: Uint32Array): Uint8Array {
    return this.#queue?.take(numbers) ?? this.read(numbers);
  }

  /**
   * The bytes of rows, read now; what was announced stays.
   * @returns `[numbers.length, rowSize]`
   * @throws {UserError} when the file is damaged
   */
  read(numbers: Uint32Array): Uint8Array {
    const bytes = new Uint8Array(numbers.length * this.rowSize);
    for (let k = 0; k < numbers.length;) {
      let together = 1; // neighbors are read at once
      while (numbers[k + together] === numbers[k] + together) together++;
      const part = bytes.subarray(k * this.rowSize, (k + together) * this.rowSize);
      const start = this.#rows.rowsOffset + numbers[k] * this.rowSize;
      const read = readInto(this.#file, start, part);
      for (let i = 0; i < together; i++) {
        const row = part.subarray(i * this.rowSize, (i + 1) * this.rowSize);
        if (read === part.length && crc32(row) === this.#rows.rowSums[numbers[k + i]]) continue;
        throw damagedRow(this.#rows, numbers[k + i]);
      }
      k += together;
    }
    return bytes;
  }

  /** Closes the file and ends the worker. */
  close(): void {
    this.#closeQueue();
    this.#file.close();
  }

  #closeQueue(): void {
    this.#queue?.close();
    this.#queue = undefined;
  }
}

/** The error for a row that is not what it was. A cache file is removed, so that it is made again. */
function damagedRow({ path, isCache }: RowFile, row: number): UserError {
  if (!isCache) {
    return new UserError(
      `Cannot read sample ${row} of ${path}: it is not what it was when the file was opened: the file was ` +
        `changed or cut meanwhile, or the disk is failing; put it back, and --resume`,
    );
  }
  try {
    Deno.removeSync(path);
  } catch { /* it says so all the same */ }
  return new UserError(
    `Cannot read sample ${row} from the cache ${path}: its checksum is wrong, the disk may be failing; ` +
      `the file was removed: run again (or --resume) to make it anew`,
  );
}

/** Requests in the sequence in which they are taken. */
class RowQueue {
  /** Rows of a request. */
  readonly rows: number;
  readonly #setup: QueueSetup;
  readonly #counters: Int32Array;
  readonly #ring: Uint8Array;
  readonly #worker: Worker;
  /** Announced and not taken yet. */
  readonly #waiting: Uint32Array[] = [];
  #requested = 0;

  constructor(
    { path, rowSize, rowsOffset, rowSums }: RowFile,
    { rows, slots }: { rows: number; slots: number },
  ) {
    this.rows = rows;
    const slotBytes = rows * rowSize;
    this.#setup = {
      path,
      rowSize,
      rowsOffset,
      rowSums,
      slots,
      slotBytes,
      ring: new SharedArrayBuffer(slots * slotBytes),
      counters: new SharedArrayBuffer(16),
    };
    this.#counters = new Int32Array(this.#setup.counters);
    this.#ring = new Uint8Array(this.#setup.ring);
    this.#worker = new Worker(new URL("./row_worker.ts", import.meta.url), { type: "module" });
    this.#tell(this.#setup);
  }

  request(numbers: Uint32Array): void {
    const own = numbers.slice();
    const request: RowRequest = { place: this.#requested++, numbers: own };
    this.#tell(request);
    this.#waiting.push(own);
  }

  #tell(message: RowMessage): void {
    this.#worker.postMessage(message);
  }

  /** The rows of the next request, where these are its rows. */
  take(numbers: Uint32Array): Uint8Array | undefined {
    const [next] = this.#waiting;
    if (!next || next.length !== numbers.length) return undefined;
    if (next.some((row, k) => row !== numbers[k])) return undefined;
    const counters = this.#counters;
    const place = this.#requested - this.#waiting.length;
    for (;;) {
      const filled = Atomics.load(counters, COUNTER.filled);
      if (filled > place) break;
      if (Atomics.load(counters, COUNTER.failed)) return undefined;
      Atomics.wait(counters, COUNTER.filled, filled, 100);
    }
    this.#waiting.shift();
    const { slotBytes, slots } = this.#setup;
    const start = (place % slots) * slotBytes;
    const rows = this.#ring.slice(start, start + slotBytes);
    Atomics.store(counters, COUNTER.taken, place + 1);
    Atomics.notify(counters, COUNTER.taken);
    return rows;
  }

  close(): void {
    Atomics.store(this.#counters, COUNTER.closed, 1);
    Atomics.notify(this.#counters, COUNTER.taken);
    this.#worker.terminate();
  }
}
