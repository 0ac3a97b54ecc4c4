/** One ONNX Runtime session of a generator: how it is made, fed and read. On which device: runtime.ts. */
import { UserError } from "../errors.ts";
import type { OrtModule, OrtSession, OrtTensor } from "../ort/types.ts";
import { sessionOptionsFor } from "../ort/wasm_memory.ts";
import type { ElementType } from "./assumptions.ts";
import type { GeneratorInputSpec } from "./generator_inputs.ts";
import { fillFeeds } from "./feeds.ts";
import { makeTensor, readTensor } from "./tensors.ts";
import { inTurn } from "./queue.ts";

/** What a generator runs on. */
export interface SamplerDevice {
  /** Where the generator runs. */
  name: "wasm" | "webgpu";
  /** Threads of the wasm device; 1 for WebGPU. */
  threads: number;
  /** The GPU, where its name is known. */
  adapter: string | null;
  /** Why it is not the device or the number of threads that was asked for; null if it is. */
  fallback: string | null;
}

/** A tensor that an input is fed. */
export interface FedTensor {
  /** The input's name. */
  name: string;
  type: ElementType;
  values: Float32Array | Int32Array;
  shape: readonly number[];
}

/** A model that is ready to run. */
export interface Runtime {
  readonly device: SamplerDevice;
  /** Runs a batch. @returns the output of that name and its shape */
  execute(inputs: readonly FedTensor[], output: string): Promise<RawOutput>;
  release(): Promise<void>;
}

/** A batch as the runtime takes it. */
export interface FedInputs {
  /** `[count, dimension]` */
  latents: Float32Array;
  /** `[count]`, where the generator takes labels. */
  labels: Int32Array | null;
  /** `[count, size]`, where the generator takes noise. */
  noise: Float32Array | null;
  /** The elements of each other input: one sample's, or those of `count` samples where it has an N. */
  feeds: ReadonlyMap<string, Float32Array>;
}

/** A batch as the runtime gives it. */
export interface RawOutput {
  data: Float32Array | Uint8Array;
  /** `[N, ...]` */
  shape: readonly number[];
}

/** A model's file, and those beside it that hold weights. */
export interface ModelBytes {
  bytes: Uint8Array;
  weights: { path: string; data: Uint8Array }[];
}

/** ONNX Runtime shall not print what it throws as well: 4 is "fatal" alone. */
const QUIET = { logSeverityLevel: 4 } as const;

/** Makes a session of a model. */
export function createSession(
  ort: OrtModule,
  { bytes, weights }: ModelBytes,
  device: "wasm" | "webgpu",
): Promise<OrtSession> {
  return ort.InferenceSession.create(bytes, {
    executionProviders: [device],
    ...(weights.length > 0 ? { externalData: weights } : {}),
    ...sessionOptionsFor(weights.reduce((sum, { data }) => sum + data.length, bytes.length)),
    ...QUIET,
  });
}

/** A model that runs in a session. */
export function wrapSession(
  name: string,
  ort: OrtModule,
  session: OrtSession,
  device: SamplerDevice,
): Runtime {
  return {
    device,
    async execute(inputs, output) {
      const feeds: Record<string, OrtTensor> = {};
      for (const { name, type, values, shape } of inputs) {
        feeds[name] = makeTensor(ort, type, values, shape);
      }
      try {
        const outputs = await inTurn(() => session.run(feeds, [output], QUIET));
        return { data: readTensor(outputs[output]), shape: outputs[output].dims };
      } catch (error) {
        const reason = reasonOf(error);
        const message = `Cannot run ${name} on ${device.name}: ONNX Runtime fails (${reason})`;
        throw new UserError(message, { cause: error });
      }
    },
    release: () => inTurn(() => session.release()),
  };
}

/** Runs a generator on a batch of `count` samples. */
export async function runGenerator(
  runtime: Runtime,
  input: GeneratorInputSpec,
  { count, latents, labels, noise, feeds }: FedInputs & { count: number },
): Promise<RawOutput> {
  const { label } = input;
  const inputs: FedTensor[] = [{
    name: input.latentName,
    type: input.latentType,
    values: latents,
    shape: [count, ...input.latentShape],
  }];
  if (label !== null && labels !== null) {
    const { name, type, rank, classes } = label;
    const shape = [count, ...Array(rank - 1).fill(classes ?? 1)];
    inputs.push({ name, type, values: classes === null ? labels : oneHot(labels, classes), shape });
  }
  if (input.noise !== null && noise !== null) {
    const { name, size } = input.noise;
    inputs.push({ name, type: "float32", values: noise, shape: [count, size] });
  }
  for (const { name, type, shape, hasBatch } of input.feeds) {
    const all = hasBatch ? [count, ...shape] : shape;
    inputs.push({ name, type, values: feeds.get(name)!, shape: all });
  }
  return await runtime.execute(inputs, input.outputName);
}

/** Runs a generator on the latent of zeros, class 0 and noise of zeros. */
export async function runZeros(runtime: Runtime, input: GeneratorInputSpec): Promise<RawOutput> {
  const count = input.fixedBatch ?? 1;
  const length = input.latentShape.reduce((product, size) => product * size, count);
  const labels = input.label === null ? null : new Int32Array(count);
  const noise = input.noise === null ? null : new Float32Array(count * input.noise.size);
  const feeds = fillFeeds(input.feeds, { count, values: {}, fallback: 0.5 });
  const latents = new Float32Array(length);
  return await runGenerator(runtime, input, { count, latents, labels, noise, feeds });
}

/** `[count]` classes as `[count, classes]` zeros and ones. */
function oneHot(labels: Int32Array, classes: number): Float32Array {
  const rows = new Float32Array(labels.length * classes);
  labels.forEach((label, index) => rows[index * classes + label] = 1);
  return rows;
}

/** What ONNX Runtime says, on one line and without codes and places in its own source. */
export function reasonOf(error: unknown): string {
  const text = (error as Error).message.replaceAll(/\s+/g, " ").trim()
    .replace(/^.*?ERROR_MESSAGE: /, "")
    .replaceAll(/\S+\.(?:h|cc):\d+ [^()]*\([^()]*\) /g, "");
  const newer = /Opset (\d+) is under development.* is till opset (\d+)/.exec(text);
  if (newer === null) return text;
  return `its operators are of opset ${newer[1]}, and this version knows those up to ${newer[2]}`;
}
