/** A forward function on the GPU, recorded once for fixed shapes and replayed. */
import { checkFunctionInputs } from "../checks.ts";
import { Lifecycle } from "../lifecycle.ts";
import type { CompiledFunction } from "../types.ts";
import type { HostTensor, HostTensors, TensorSpec } from "../../tensor/types.ts";
import type { StepExecutable } from "./executable.ts";
import { readMapped } from "./read_back.ts";
import { inputKey } from "./recorder.ts";
import type { StepMemory } from "./step_memory.ts";

/** What {@linkcode WebGpuFunction} is made of. */
export interface WebGpuFunctionParts {
  /** The device of the buffers. */
  device: GPUDevice;
  /** Inputs are its externals, outputs its scalars. */
  executable: StepExecutable;
  /** The executable's buffers; the function takes them over. */
  memory: StepMemory;
  /** Shapes and types of the inputs. */
  inputs: Record<string, TensorSpec>;
  /** Shapes and types of the outputs. */
  outputs: Record<string, TensorSpec>;
  /** Throws what the device reported. */
  check(): void;
  /** Called once, when the function is disposed. */
  onDispose(): void;
}

/** A captured function. */
export class WebGpuFunction implements CompiledFunction {
  readonly #parts: WebGpuFunctionParts;
  readonly #life = new Lifecycle("function");

  constructor(parts: WebGpuFunctionParts) {
    this.#parts = parts;
  }

  /** The buffers and dispatches, for measurements. */
  get executable(): StepExecutable {
    return this.#parts.executable;
  }

  /** Uploads the inputs, runs, and copies the outputs back. */
  run(inputs: HostTensors): Promise<HostTensors> {
    return this.#life.use(() => {
      checkFunctionInputs(this.#parts.inputs, inputs);
      return this.#run(inputs);
    });
  }

  async #run(inputs: HostTensors): Promise<HostTensors> {
    const { device, executable, outputs, check } = this.#parts;
    for (const name of Object.keys(this.#parts.inputs)) {
      const given = inputs[name];
      const { buffer } = executable.externals.get(inputKey(name))!;
      device.queue.writeBuffer(buffer, 0, given.data as Float32Array<ArrayBuffer>);
    }
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    executable.encodeDispatches(pass);
    pass.end();
    const copies = Object.keys(outputs).map((name) => {
      const { buffer, sizeBytes } = executable.scalars.get(name)!;
      const copy = device.createBuffer({ size: sizeBytes, usage: 0x01 | 0x08 });
      encoder.copyBufferToBuffer(buffer, 0, copy, 0, sizeBytes);
      return { name, copy, sizeBytes };
    });
    device.queue.submit([encoder.finish()]);
    const entries = await Promise.all(copies.map(async ({ name, copy, sizeBytes }) => {
      const data = await readMapped(copy, sizeBytes, check);
      copy.destroy();
      const { shape, dtype } = outputs[name];
      const tensor: HostTensor = dtype === "int32"
        ? { shape: [...shape], dtype, data: new Int32Array(data) }
        : { shape: [...shape], dtype, data: new Float32Array(data) };
      return [name, tensor] as const;
    }));
    check();
    return Object.fromEntries(entries);
  }

  /** Gives all buffers back. */
  dispose(): Promise<void> {
    return this.#life.dispose(() => {
      this.#parts.memory.destroy();
      this.#parts.onDispose();
    });
  }
}
