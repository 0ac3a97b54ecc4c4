/** The kernel that makes a batch of samples that lie on the device: see `SamplePool`. */
import { listOf, storage, vectorWidth } from "./wgsl.ts";

const THREADS = 64;
/** Workgroups along y at most; more go along z. */
const MAX_LINES = 32768;

/** The sizes of one gather. */
export interface GatherSizes {
  /** How many rows are picked. */
  picked: number;
  /** Numbers of a row. */
  rowSize: number;
  /** Rows of a sample, whose values alternate. */
  rowsPerSample: number;
  /** Whether rows are bytes, four to a word, the first lowest, and stand for values in a table. */
  isBytes: boolean;
}

/**
 * Copies values as bits: whatever the device does in arithmetic (it may round a division by two units,
 * and flush small values to 0), the batch is the host's. Hence a table rather than `x / 127.5 - 1`.
 * Workgroups go along a row in x and from row to row in y and z. A thread moves four values where rows
 * are as even, and writes them at once where a sample is one row.
 *
 * Bindings: `rows`, `numbers` (of the rows), `byteValues` where rows are bytes, `out`; all of 32 bits.
 */
export function gatherProgram(
  { picked, rowSize, rowsPerSample, isBytes }: GatherSizes,
): { code: string; workgroups: [number, number, number] } {
  const width = vectorWidth(rowSize);
  const atOnce = rowsPerSample === 1 && width === 4;
  const across = Math.min(THREADS, 2 ** Math.ceil(Math.log2(rowSize / width)));
  const down = THREADS / across; // short rows share a workgroup
  const layers = Math.ceil(picked / down / MAX_LINES);
  const lines = Math.ceil(picked / down / layers);
  const reads = { rows: "u32", numbers: "u32", ...(isBytes ? { byteValues: "u32" } : {}) };
  const values = listOf(width, (i) => {
    if (!isBytes) return `rows[at + ${i}u]`;
    return `byteValues[(word >> ${width === 4 ? `${8 * i}u` : "(8u * (at & 3u))"}) & 0xffu]`;
  });
  const code = `
${storage(reads, { out: atOnce ? "vec4<u32>" : "u32" })}
@compute @workgroup_size(${across}, ${down})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let first = id.x * ${width}u;
  let k = id.z * ${lines * down}u + id.y;
  if (first >= ${rowSize}u || k >= ${picked}u) { return; }
  let at = numbers[k] * ${rowSize}u + first;
  ${isBytes ? "let word = rows[at >> 2u];" : ""}
  let part = k % ${rowsPerSample}u;
  let to = (k - part) * ${rowSize}u + part + first * ${rowsPerSample}u;
  ${
    atOnce
      ? `out[to >> 2u] = vec4<u32>(${values.join(", ")});`
      : values.map((value, i) => `out[to + ${i * rowsPerSample}u] = ${value};`).join("\n  ")
  }
}`;
  return { code, workgroups: [Math.ceil(rowSize / width / across), lines, layers] };
}
