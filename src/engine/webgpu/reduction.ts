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

const THREADS = 64;

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

/** Into how many parts to reduce, so that there are threads enough. */
export function chooseParts(
  backend: GanforgeWebGpuBackend,
  { outer, reduced, inner }: Pick<ReductionWork, "outer" | "reduced" | "inner">,
): number {
  const { enoughThreads } = backend.tuning;
  const isRow = inner === 1;
  const perRow = isRow && backend.tuning.family === "workgroup" ? THREADS : 1;
  const threads = outer * Math.ceil(inner / 4) * perRow;
  const shortest = 16 * perRow;
  let parts = 1;
  while (threads * parts < enoughThreads && reduced / parts >= 2 * shortest && parts < 1024) {
    parts *= 2;
  }
  return parts;
}

/** The dispatch of a reduction. */
export function reductionDispatch(
  backend: GanforgeWebGpuBackend,
  work: ReductionWork,
): Dispatch {
  const { outer, reduced, inner, parts, combine } = work;
  const isRow = inner === 1;
  const alongRow = isRow && reduced % 4 === 0;
  const loads = alongRow || inner % 4 === 0 ? loadsByFour(work) : undefined;
  const width = loads ? 4 : 1;
  const length = alongRow && loads ? reduced / 4 : reduced; // steps along the axis
  const lanes = isRow ? 1 : inner / width;
  const together = isRow && backend.tuning.family === "workgroup";
  const depth = Math.ceil(length / parts);
  const integers = [outer * parts * lanes, lanes, parts, length, depth];
  const floats = [START[combine], work.divisor];
  const program = { work, loads, integers, floats, together };
  const { text, reads } = reductionCode(program);
  const label = `${combine}${work.nodes.length > 0 ? ` of ${labelOf(work)}` : ""}`;
  const groups = together ? outer * parts : Math.ceil(outer * parts * lanes / THREADS);
  return {
    label,
    pipeline: backend.pipeline(label, text),
    reads,
    writes: [work.output],
    uniforms: packScalars(integers, floats),
    workgroups: spread(groups),
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
    /** A workgroup shares one result. */
    together: boolean;
  },
): { text: string; reads: GPUBuffer[] } {
  const { work, loads, integers, floats, together } = program;
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
  const finish = together
    ? `shared_values[local] = ${collapse};
  for (var half = ${THREADS / 2}u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (local < half) {
      shared_values[local] = ${
      combined(work.combine, "shared_values[local]", "shared_values[local + half]", "f32")
    };
    }
  }
  if (local == 0u) { result[t] = shared_values[0] / u.f1; }`
    : `result[t] = (${collapse}) / u.f1;`;
  const text = `
${uniformBlock(integers, floats, code.reads.length + 1)}
${code.declarations}
${helpers.join("\n")}
${together ? `var<workgroup> shared_values: array<f32, ${THREADS}>;` : ""}
@group(0) @binding(${code.reads.length}) var<storage, read_write> result: array<${result}>;
@compute @workgroup_size(${THREADS})
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  let group_index = group.y * groups.x + group.x;
  let t = ${together ? "group_index" : `group_index * ${THREADS}u + local`};
  if (t >= u.i0) { return; }
  let part = t / u.i1 % u.i2;
  let base = (t / (u.i1 * u.i2)) * u.i3;
  let lane = t % u.i1;
  var sum = ${float}(u.f0);
  ${code.setup}
  for (var r = part * u.i4${together ? " + local" : ""}; r < min(u.i3, (part + 1u) * u.i4); r += ${
    together ? THREADS : 1
  }u) {
    let q = (base + r) * u.i1 + lane;
    ${code.body}
    sum = ${combined(work.combine, "sum", value, float)};
  }
  ${finish}
}`;
  return { text, reads: code.reads };
}
