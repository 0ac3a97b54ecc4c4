/** A GPU's tuning with some fields replaced, as the benchmarks take it on their command line. */
import { GPU_TUNING, type GroupTuning } from "../src/engine/webgpu/tuning.ts";

/**
 * Reads fields of a tuning.
 * @param json `{"minDepth": 64}`, say
 * @throws RangeError for a field that a tuning does not have
 */
export function gpuTuning(json: string): GroupTuning {
  const fields = JSON.parse(json) as Partial<GroupTuning>;
  const unknown = Object.keys(fields).find((name) => !(name in GPU_TUNING));
  if (unknown !== undefined) {
    const known = Object.keys(GPU_TUNING).join(", ");
    throw new RangeError(`Cannot tune "${unknown}": a tuning has ${known}`);
  }
  return { ...GPU_TUNING, ...fields };
}
