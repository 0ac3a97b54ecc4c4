/**
 * What the reader of rows and its worker share: a ring of slots in shared memory, each for the rows of
 * one request, and counters that both wait on. Requests are filled and taken in the sequence in which
 * they were made.
 */

/** Places of the counters. */
export const COUNTER = {
  /** Requests that are filled. */
  filled: 0,
  /** Requests that were taken; a slot is free again once its request was. */
  taken: 1,
  /** 1 once the worker has failed. */
  failed: 2,
  /** 1 once the reader is closed: a worker that waits cannot be terminated, and keeps the process alive. */
  closed: 3,
} as const;

/** What the worker is started with. */
export interface QueueSetup {
  path: string;
  rowSize: number;
  rowsOffset: number;
  /** `[count]` CRC-32 of each row. */
  rowSums: Uint32Array;
  slots: number;
  slotBytes: number;
  /** `[slots, slotBytes]` */
  ring: SharedArrayBuffer;
  counters: SharedArrayBuffer;
}

/** Rows that will be taken together. */
export interface RowRequest {
  /** Which request it is, from 0. */
  place: number;
  numbers: Uint32Array;
}
