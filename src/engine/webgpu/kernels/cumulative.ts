/**
 * Running sums and products (Cumsum, Cumprod). TensorFlow.js's own programs are wrong for a reversed
 * one of another length than the first: their cached shader keeps that length.
 */
import { tf } from "../../../tensor/tf.ts";
import { packScalars } from "../uniforms.ts";
import { spread } from "../workgroups.ts";
import { type KernelCall, replaceKernel } from "./registry.ts";
import { storage, uniforms } from "./wgsl.ts";

const THREADS = 64;

/** Registers them for the backend "webgpu". */
export function registerCumulativeKernels(): void {
  replaceKernel("Cumsum", (call) => accumulate(call, { start: "0.0", operator: "+" }));
  replaceKernel("Cumprod", (call) => accumulate(call, { start: "1.0", operator: "*" }));
}

/** One thread runs along the axis: these are short in the networks here. */
function accumulate(
  { inputs: { x }, attrs, backend }: KernelCall,
  { start, operator }: { start: string; operator: string },
) {
  const { axis, exclusive, reverse } = attrs as {
    axis: number;
    exclusive: boolean;
    reverse: boolean;
  };
  const size = tf.util.sizeFromShape(x.shape);
  if (x.dtype !== "float32" || size === 0) return undefined;
  const [d] = tf.util.parseAxisParam(axis, x.shape);
  const length = x.shape[d];
  const inner = tf.util.sizeFromShape(x.shape.slice(d + 1));
  const rows = size / length;
  const output = backend.allocate(x.shape);
  const code = `
${storage({ X: "f32" }, { Y: "f32" })}
${uniforms(["rows", "length", "inner", "reverse", "exclusive"], 2)}
@compute @workgroup_size(${THREADS})
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let row = id.y * (groups.x * ${THREADS}u) + id.x;
  if (row >= u.rows) { return; }
  let base = (row / u.inner) * u.length * u.inner + row % u.inner;
  var sum = ${start};
  for (var k = 0u; k < u.length; k++) {
    let at = base + select(k, u.length - 1u - k, u.reverse == 1u) * u.inner;
    let before = sum;
    sum = sum ${operator} X[at];
    Y[at] = select(sum, before, u.exclusive == 1u);
  }
}`;
  const label = operator === "+" ? "cumsum" : "cumprod";
  backend.dispatch({
    label,
    pipeline: backend.pipeline(label, code),
    reads: [backend.bufferOf(x)],
    writes: [backend.bufferOf(output)],
    uniforms: packScalars([rows, length, inner, reverse ? 1 : 0, exclusive ? 1 : 0]),
    workgroups: spread(Math.ceil(rows / THREADS)),
  }, [x, output]);
  return output;
}
