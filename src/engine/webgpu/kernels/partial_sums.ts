/** Adds up what a split kernel left: `out[i] = sum over s of parts[s][i]`, in a fixed order. */
import type * as tfTypes from "@tensorflow/tfjs";
import type { GanforgeWebGpuBackend } from "../backend.ts";
import { packScalars } from "../uniforms.ts";
import { floatType, storage, uniforms, vectorWidth } from "./wgsl.ts";

const THREADS = 64;

/**
 * Sums over the first dimension, and releases the parts.
 * @param parts `[splits, size]`
 * @param out a tensor of `size` numbers, to be written
 */
export function addParts(
  backend: GanforgeWebGpuBackend,
  parts: tfTypes.TensorInfo,
  out: tfTypes.TensorInfo,
  counts: { splits: number; size: number },
): void {
  const width = vectorWidth(counts.size);
  const float = floatType(width);
  const size = counts.size / width;
  const groups = Math.ceil(size / THREADS);
  const rows = Math.ceil(groups / 32768);
  const code = `
${storage({ parts: float }, { out: float })}
${uniforms(["size", "splits"], 2)}
@compute @workgroup_size(${THREADS})
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.y * (groups.x * ${THREADS}u) + id.x;
  if (i >= u.size) { return; }
  var sum = parts[i];
  for (var s = 1u; s < u.splits; s++) { sum += parts[s * u.size + i]; }
  out[i] = sum;
}`;
  backend.dispatch({
    label: "addParts",
    pipeline: backend.pipeline("addParts", code),
    reads: [backend.bufferOf(parts)],
    writes: [backend.bufferOf(out)],
    uniforms: packScalars([size, counts.splits]),
    workgroups: [Math.ceil(groups / rows), rows, 1],
  }, [parts, out]);
  backend.disposeData(parts.dataId);
}
