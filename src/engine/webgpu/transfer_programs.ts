/**
 * Kernels that move words of 32 bits as they are, so that a step needs no copies between compute passes
 * and many steps make one pass: inputs come out of an upload, scalars go into a ring, state goes home.
 *
 * The clock is four words: seed, step, the step's place in its upload and ring, columns of the ring.
 */
import { each, listOf, storage } from "./kernels/wgsl.ts";
import { spread } from "./workgroups.ts";

/** A kernel without uniforms. */
export interface TransferProgram {
  /** WGSL with the entry point `main`. */
  code: string;
  /** Workgroups along x, y and z. */
  workgroups: [number, number, number];
}

const THREADS = 64;
/** A word of the clock, in WGSL: the place of the step that is running. */
const PLACE = "clock[2]";
/** Likewise: how many columns the ring has. */
const COLUMNS = "clock[3]";

/** `body` for each `i` below `count`. */
function forEachWord(count: number, bindings: string, body: string): TransferProgram {
  const workgroups = spread(Math.ceil(count / THREADS));
  const code = `
${bindings}
@compute @workgroup_size(${THREADS})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.y * ${workgroups[0] * THREADS}u + id.x;
  if (i >= ${count}u) { return; }
${body}
}`;
  return { code, workgroups };
}

/** Copies `words` words. Bindings: from, to. */
export function copyProgram(words: number): TransferProgram {
  return forEachWord(words, storage({ origin: "u32" }, { goal: "u32" }), "  goal[i] = origin[i];");
}

/**
 * Copies a step's inputs out of the upload, where those of many steps lie one after another.
 * Bindings: clock, upload, then each input.
 * @param sizes words of each input
 */
export function feedProgram(sizes: number[]): TransferProgram {
  const ends = sizes.map((_, k) => sizes.slice(0, k + 1).reduce((sum, size) => sum + size, 0));
  const total = ends[ends.length - 1];
  const inputs = Object.fromEntries(listOf(sizes.length, (k) => [`input${k}`, "u32"]));
  return forEachWord(
    total,
    storage({ clock: "u32", upload: "u32" }, inputs),
    `  let word = upload[${PLACE} * ${total}u + i];\n` +
      each(
        sizes.length,
        (k) => `  if (i < ${ends[k]}u) { input${k}[i - ${ends[k] - sizes[k]}u] = word; return; }`,
      ),
  );
}

/**
 * Puts a step's scalars into its row of the ring. Bindings: each scalar, clock, ring.
 * @param columns where in the row each scalar goes
 * @param isLast whether the clock moves on to the next step
 */
export function collectProgram(columns: number[], isLast: boolean): TransferProgram {
  const scalars = Object.fromEntries(listOf(columns.length, (k) => [`scalar${k}`, "u32"]));
  const code = `
${storage(scalars, { clock: "u32", ring: "u32" })}
@compute @workgroup_size(1)
fn main() {
  let row = ${PLACE} * ${COLUMNS};
${each(columns.length, (k) => `  ring[row + ${columns[k]}u] = scalar${k}[0];`)}
${isLast ? `  clock[1] += 1u;\n  ${PLACE} += 1u;` : ""}
}`;
  return { code, workgroups: [1, 1, 1] };
}
