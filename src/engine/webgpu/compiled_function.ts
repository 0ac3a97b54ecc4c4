/** A forward function on the GPU, recorded once for fixed shapes and replayed. */
import type { CompiledFunction, HostTensor, HostTensors, TensorSpec } from "../types.ts";
import { readMapped } from "./compiled_step.ts";
import type { StepExecutable } from "./executable.ts";
import { inputKey } from "./recorder.ts";

/** A captured function. */
export class WebGpuFunction implements CompiledFunction {
  readonly #device: GPUDevice;
  readonly #executable: StepExecutable;
  readonly #specs: Record<"inputs" | "outputs", Record<string, TensorSpec>>;
  readonly #check: () => void;
  #disposed = false;

  /** @param check throws what the device reported */
  constructor(
    device: GPUDevice,
    executable: StepExecutable,
    specs: Record<"inputs" | "outputs", Record<string, TensorSpec>>,
    check: () => void,
  ) {
    this.#device = device;
    this.#executable = executable;
    this.#specs = specs;
    this.#check = check;
  }

  async run(inputs: HostTensors): Promise<HostTensors> {
    if (this.#disposed) throw new Error("Cannot run a function that was disposed");
    for (const [name, { shape, dtype }] of Object.entries(this.#specs.inputs)) {
      const given = inputs[name];
      if (given?.dtype !== dtype || given.shape.join() !== shape.join()) {
        throw new RangeError(
          `Cannot run the function: input "${name}" must be ${dtype} [${shape}], found ` +
            (given ? `${given.dtype} [${given.shape}]` : "nothing"),
        );
      }
      const { buffer } = this.#executable.externals.get(inputKey(name))!;
      this.#device.queue.writeBuffer(buffer, 0, given.data as Float32Array<ArrayBuffer>);
    }
    const encoder = this.#device.createCommandEncoder();
    this.#executable.encodeDispatches(encoder);
    const copies = Object.keys(this.#specs.outputs).map((name) => {
      const { buffer, sizeBytes } = this.#executable.scalars.get(name)!;
      const copy = this.#device.createBuffer({ size: sizeBytes, usage: 0x01 | 0x08 });
      encoder.copyBufferToBuffer(buffer, 0, copy, 0, sizeBytes);
      return { name, copy, sizeBytes };
    });
    this.#device.queue.submit([encoder.finish()]);
    const entries = await Promise.all(copies.map(async ({ name, copy, sizeBytes }) => {
      const data = await readMapped(copy, sizeBytes);
      copy.destroy();
      const { shape, dtype } = this.#specs.outputs[name];
      const tensor: HostTensor = dtype === "int32"
        ? { shape: [...shape], dtype, data: new Int32Array(data) }
        : { shape: [...shape], dtype, data: new Float32Array(data) };
      return [name, tensor] as const;
    }));
    this.#check();
    return Object.fromEntries(entries);
  }

  dispose(): Promise<void> {
    if (!this.#disposed) this.#executable.destroy();
    this.#disposed = true;
    return Promise.resolve();
  }
}
