/**
 * Fuzzing of what reads files: every case is read right, or refused in one line; none takes for ever, or
 * memory past a bound. Half of the cases have a fixed seed, half the fresh one of tests/properties.ts.
 */
import { checkProperty } from "./properties.ts";
import { assert } from "@std/assert";
import fc from "fast-check";
import { UserError } from "../src/errors.ts";

/** Cases of each kind of file. */
export const FUZZ_RUNS = 3000;

/** Small files may cost this much memory: what V8 lets pile up before it collects, and some room. */
const MAX_BYTES = 500e6;

/** For what hangs: cases take a millisecond, and loaded machines are slow. */
const TIMEOUT_MS = 60_000;

/** What became of the cases. */
export interface FuzzOutcome {
  read: number;
  refused: number;
}

/** How to fuzz. */
export interface FuzzOptions {
  seed: number;
  /** Default {@linkcode FUZZ_RUNS}. */
  runs?: number;
  /** How much all cases may cost together. Default: {@linkcode MAX_BYTES}. */
  maxBytes?: number;
  /** What a refusal says. Default: any line that starts with "Cannot". */
  refusal?: RegExp;
}

/**
 * Gives each case to a reader, which checks what it reads and throws a `UserError` where it refuses.
 * @throws {Error} with the smallest case that is neither, hangs, or costs too much memory
 */
export async function fuzz<T>(
  cases: fc.Arbitrary<T>,
  read: (value: T) => unknown,
  options: FuzzOptions,
): Promise<FuzzOutcome> {
  const { seed, runs = FUZZ_RUNS, maxBytes = MAX_BYTES, refusal = /^Cannot [^\n]{15,}$/ } = options;
  const outcome: FuzzOutcome = { read: 0, refused: 0 };
  const before = Deno.memoryUsage().rss;
  const begun = new Int32Array(new SharedArrayBuffer(4));
  using _ = startWatchdog(begun);
  await checkProperty(
    fc.asyncProperty(cases, async (value) => {
      Atomics.add(begun, 0, 1);
      try {
        await read(value);
        outcome.read++;
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        assert(refusal.test(error.message), `not a clear line: ${error.message}`);
        outcome.refused++;
      }
      const grown = Deno.memoryUsage().rss - before;
      assert(grown < maxBytes, `memory has grown by ${Math.round(grown / 1e6)} MB`);
    }),
    { numRuns: runs, seed, timeout: TIMEOUT_MS },
  );
  return outcome;
}

/** Ends the process where one case keeps its thread busy; {@linkcode TIMEOUT_MS} cannot tell then. */
function startWatchdog(begun: Int32Array): Disposable {
  const url = new URL("./fuzz_watchdog.ts", import.meta.url);
  const worker = new Worker(url, { type: "module" });
  worker.postMessage({ begun, maxMs: TIMEOUT_MS });
  return { [Symbol.dispose]: () => worker.terminate() };
}

/**
 * Damaged copies of files: some bytes replaced, some of them near the beginning, where formats say what
 * follows; now and then cut off, or no such file at all.
 * @param patch corrects what would give every damage away, such as checksums
 */
export function damagedBytes(
  files: readonly Uint8Array<ArrayBuffer>[],
  patch: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer> = (bytes) => bytes,
): fc.Arbitrary<Uint8Array<ArrayBuffer>> {
  const damaged = fc.constantFrom(...files).chain((file) => {
    const last = Math.max(0, file.length - 1);
    const at = fc.oneof({ arbitrary: fc.nat(last), weight: 3 }, fc.nat(Math.min(last, 64)));
    return fc.record({
      edits: fc.array(fc.tuple(at, fc.nat(255)), { minLength: 1, maxLength: 4 }),
      keep: fc.oneof({ arbitrary: fc.constant(file.length), weight: 3 }, fc.nat(file.length)),
    }).map(({ edits, keep }) => {
      const bytes = file.slice();
      for (const [at, value] of edits) bytes[at] = value;
      return patch(bytes).slice(0, keep);
    });
  });
  const anything = fc.uint8Array({ maxLength: 300 }).map((bytes) => Uint8Array.from(bytes));
  return fc.oneof({ arbitrary: damaged, weight: 9 }, anything);
}
