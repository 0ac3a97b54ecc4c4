/**
 * Reductions: sums, means and maxima of an expression's elements over one axis of
 * `[outer, reduced, inner]`. The expression may be a tensor's own elements or what fusion.ts has
 * joined to it. Long axes are reduced in parts first.
 */
import type { GanforgeWebGpuBackend } from "./backend.ts";
import type { Dispatch } from "./backend_types.ts";
import { labelOf, spread, uniformBlock } from "./elementwise.ts";
import type { Argument, Expression } from "./expression.ts";
import { expressionCode, type Load, loadsByFour } from "./expression_code.ts";
import { MOST_PARTS } from "./tuning.ts";
import { packScalars } from "./uniforms.ts";

/** How elements are combined. A mean is a sum whose result is divided. */
export type Combination = "sum" | "max" | "min";

/** One reduction, or one stage of it. */
export interface ReductionWork extends Expression {
  /** What is reduced. */
  value: Argument;
  /** How it is reduced. */
  combine: Combination;
  /** The expression's elements are `[outer, reduced, inner]`. */
  outer: number;
  /** Length of the axis that disappears. */
  reduced: number;
  /** Elements side by side below that axis. */
  inner: number;
  /** The result is `[outer, parts, inner]`. */
  parts: number;
  /** The result is divided by this. */
  divisor: number;
  /** Where the result goes. */
  output: GPUBuffer;
}

/** Threads of a workgroup on software adapters, each with a result of its own. */
const THREADS = 64;
/** Threads of a workgroup on GPUs. */
const GPU_THREADS = 256;
/** Fours beside each other that threads of a workgroup take: 4 of them are two sectors of memory. */
const MOST_BESIDE = 4;
/** Steps of a thread, where threads could share a result instead. */
const LEAST_STEPS = 4;

const START = { sum: 0, max: -Infinity, min: Infinity };

/** WGSL of `a` and `b` combined; maxima and minima keep a NaN. */
function combined(combine: Combination, a: string, b: string, float: string): string {
  if (combine === "sum") return `${a} + ${b}`;
  return `${nanKeeper(float)}(${combine}(${a}, ${b}), ${a}, ${b})`;
}

function nanKeeper(float: string): string {
  return float === "f32" ? "keep_nan_one" : "keep_nan_four";
}

function nanFunction(float: string): string {
  const bits = float.replace("f32", "u32");
  const isNan = (x: string) =>
    `((bitcast<${bits}>(${x}) & ${bits}(0x7fffffffu)) > ${bits}(0x7f800000u))`;
  return `fn ${nanKeeper(float)}(best: ${float}, a: ${float}, b: ${float}) -> ${float} {
  return select(best, a + b, ${isNan("a")} | ${isNan("b")});
}`;
}

/** How a reduction is cut up for threads. */
interface Layout {
  /** Elements that a thread takes at once, side by side. */
  width: 1 | 4;
  /** Steps along the axis, and results side by side below it, in units of `width`. */
  length: number;
  lanes: number;
  /** Threads of a workgroup, and how many of them share a result. */
  threads: number;
  together: number;
}

/** What the shape of a reduction asks for. */
function layoutOf(
  backend: GanforgeWebGpuBackend,
  { reduced, inner }: Pick<ReductionWork, "reduced" | "inner">,
  parts = 1,
): Layout {
  const isRow = inner === 1;
  const width = (isRow ? reduced : inner) % 4 === 0 ? 4 : 1;
  const length = isRow ? reduced / width : reduced;
  const lanes = isRow ? 1 : inner / width;
  if (backend.tuning.family === "registers") {
    return { width, length, lanes, threads: THREADS, together: 1 };
  }
  // A GPU's threads share results: along the axis, but beside each other for what lies side by side.
  const beside = Math.min(MOST_BESIDE, powerOfTwo(lanes));
  const steps = Math.floor(length / parts / LEAST_STEPS);
  const together = Math.min(GPU_THREADS / beside, powerOfTwo(Math.max(1, steps)));
  return { width, length, lanes, threads: GPU_THREADS, together };
}

/** The largest power of 2 up to `value`. */
function powerOfTwo(value: number): number {
  return 2 ** Math.floor(Math.log2(value));
}

/** Into how many parts to reduce, so that there are threads enough. */
export function chooseParts(
  backend: GanforgeWebGpuBackend,
  shape: Pick<ReductionWork, "outer" | "reduced" | "inner">,
): number {
  const { enoughThreads, family } = backend.tuning;
  const { length, lanes, together } = layoutOf(backend, shape);
  const least = family === "registers" ? 16 : LEAST_STEPS * together;
  let parts = 1;
  while (
    shape.outer * lanes * together * parts < enoughThreads && length / parts >= 2 * least &&
    parts < MOST_PARTS
  ) {
    parts *= 2;
  }
  return parts;
}

/** The dispatch of a reduction. */
export function reductionDispatch(
  backend: GanforgeWebGpuBackend,
  work: ReductionWork,
): Dispatch {
  const { outer, parts, combine } = work;
  const layout = layoutOf(backend, work, parts);
  const { length, lanes, threads, together } = layout;
  const loads = layout.width === 4 ? loadsByFour(work) : undefined;
  const depth = Math.ceil(length / parts);
  const integers = [outer * parts * lanes, lanes, parts, length, depth];
  const floats = [START[combine], work.divisor];
  const { text, reads } = reductionCode({ work, loads, integers, floats, layout });
  const label = `${combine}${work.nodes.length > 0 ? ` of ${labelOf(work)}` : ""}`;
  return {
    label,
    pipeline: backend.pipeline(label, text),
    reads,
    writes: [work.output],
    uniforms: packScalars(integers, floats),
    workgroups: spread(Math.ceil(outer * parts * lanes / (threads / together))),
  };
}

/**
 * Uniforms i0 to i4: results, results side by side, parts, steps along the axis, steps in a part;
 * f0, f1: the neutral element and the divisor.
 */
function reductionCode(
  program: {
    work: ReductionWork;
    loads: Load[] | undefined;
    integers: number[];
    floats: number[];
    layout: Layout;
  },
): { text: string; reads: GPUBuffer[] } {
  const { work, loads, integers, floats, layout: { threads, together } } = program;
  const float = loads ? "vec4<f32>" : "f32";
  const isRow = work.inner === 1;
  const result = isRow ? "f32" : float;
  const code = expressionCode(work, { loads, integers, floats, isolated: true });
  const value = "node" in work.value ? `v${work.value.node}` : `a${work.value.operand}`;
  const isExtreme = work.combine !== "sum";
  const collapse = isRow && loads
    ? combined(
      work.combine,
      `(${combined(work.combine, "sum.x", "sum.y", "f32")})`,
      `(${combined(work.combine, "sum.z", "sum.w", "f32")})`,
      "f32",
    )
    : "sum";
  const helpers = [...new Set(isExtreme ? [float, result] : [])].map(nanFunction);
  const isShared = together > 1;
  // Neighbouring threads read what lies side by side.
  const share = isRow ? `local % ${together}u` : `local / ${threads / together}u`;
  const beside = isRow ? `local / ${together}u` : `local % ${threads / together}u`;
  const other = isRow ? "half" : `half * ${threads / together}u`;
  const finish = isShared
    ? `shared_values[local] = ${collapse};
  for (var half = ${together / 2}u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (share < half) {
      shared_values[local] = ${
      combined(work.combine, "shared_values[local]", `shared_values[local + ${other}]`, result)
    };
    }
  }
  if (share == 0u && t < u.i0) { result[t] = shared_values[local] / u.f1; }`
    : `if (t < u.i0) { result[t] = (${collapse}) / u.f1; }`;
  const text = `
${uniformBlock(integers, floats, code.reads.length + 1)}
${code.functions}
${code.declarations}
${helpers.join("\n")}
${isShared ? `var<workgroup> shared_values: array<${result}, ${threads}>;` : ""}
@group(0) @binding(${code.reads.length}) var<storage, read_write> result: array<${result}>;
@compute @workgroup_size(${threads})
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  let share = ${share};
  let t = (group.y * groups.x + group.x) * ${threads / together}u + ${beside};
  let part = t / u.i1 % u.i2;
  let base = (t / (u.i1 * u.i2)) * u.i3;
  let lane = t % u.i1;
  let end = select(0u, min(u.i3, (part + 1u) * u.i4), t < u.i0);
  var sum = ${float}(u.f0);
  ${code.setup}
  for (var r = part * u.i4 + share; r < end; r += ${together}u) {
    let q = (base + r) * u.i1 + lane;
    ${code.body}
    sum = ${combined(work.combine, "sum", value, float)};
  }
  ${finish}
}`;
  return { text, reads: code.reads };
}
