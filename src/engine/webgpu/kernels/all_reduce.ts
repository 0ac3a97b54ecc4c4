/**
 * Where a step of several processes exchanges values: on the GPU a copy, after which the replay stops, takes
 * the copy to the host, and brings the mean of all processes back in its place.
 */
import { tf } from "../../../tensor/tf.ts";
import { ALL_REDUCE } from "../../../tensor/all_reduce.ts";
import { copyProgram } from "../transfer_programs.ts";
import { addKernel } from "./registry.ts";

/** Registers it for the backend "webgpu". */
export function registerAllReduce(): void {
  addKernel(ALL_REDUCE, ({ inputs: { x }, backend }) => {
    const output = backend.allocate(x.shape);
    const { code, workgroups } = copyProgram(tf.util.sizeFromShape(x.shape));
    backend.dispatch({
      label: ALL_REDUCE,
      pipeline: backend.pipeline(ALL_REDUCE, code),
      reads: [backend.bufferOf(x)],
      writes: [backend.bufferOf(output)],
      workgroups,
    }, [x, output]);
    return output;
  });
}
