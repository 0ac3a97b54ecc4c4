/** Runs a finished file in onnxruntime-web, for its self-test and the parity check. */
import type * as Ort from "onnxruntime-web";
import type { HostTensor, HostTensors } from "../engine/types.ts";
import { UserError } from "../errors.ts";
import { withRoomyWasmMemory } from "../wasm_memory.ts";
import type { ExternalData } from "./external_data.ts";

/** A file that is ready to run. */
export interface ModelSession {
  /** For the person at the terminal, such as `onnxruntime-web 1.30.0`. */
  readonly runtime: string;
  /** Runs a batch. Integer inputs become int64 where the file takes that. @returns each output */
  run(inputs: HostTensors): Promise<Record<string, ModelOutput>>;
  release(): Promise<void>;
}

/** What an output holds. */
export interface ModelOutput {
  shape: number[];
  data: Float32Array | Int32Array | Uint8Array;
}

/**
 * Opens a file.
 * @throws {UserError} when the runtime refuses it
 */
export async function openModel(
  bytes: Uint8Array,
  externalData?: ExternalData,
): Promise<ModelSession> {
  const ort = await import("onnxruntime-web");
  const { wasm } = ort.env;
  // The first session of a process fixes the number of threads; 0 or undefined: nobody chose one yet.
  wasm.numThreads ||= navigator.hardwareConcurrency ?? 1;
  const runtime = `onnxruntime-web ${ort.env.versions.web ?? ort.env.versions.common}`;
  let session: Ort.InferenceSession;
  try {
    session = await withRoomyWasmMemory(() =>
      ort.InferenceSession.create(bytes, {
        executionProviders: ["wasm"],
        logSeverityLevel: 3,
        ...(externalData
          ? { externalData: [{ path: externalData.location, data: joined(externalData) }] }
          : {}),
      })
    );
  } catch (error) {
    throw new UserError(`Cannot run the exported file in ${runtime}: ${firstLine(error)}`, {
      cause: error,
    });
  }
  return {
    runtime,
    async run(inputs) {
      const feeds = Object.fromEntries(
        session.inputMetadata.map((input) => {
          const type = input.isTensor ? input.type : "float32";
          return [input.name, toOrtTensor(ort, inputs[input.name], input.name, type)];
        }),
      );
      const outputs = await session.run(feeds);
      return Object.fromEntries(
        Object.entries(outputs).map(([name, tensor]) => [name, {
          shape: [...tensor.dims],
          data: tensor.data as ModelOutput["data"],
        }]),
      );
    },
    release: () => session.release(),
  };
}

function toOrtTensor(
  ort: typeof Ort,
  tensor: HostTensor | undefined,
  name: string,
  type: string,
): Ort.Tensor {
  if (tensor === undefined) {
    throw new UserError(`Cannot run the exported file: its input ${name} is not given`);
  }
  const { data, shape } = tensor;
  if (type === "int64") {
    return new ort.Tensor("int64", BigInt64Array.from(data as Int32Array, BigInt), shape);
  }
  return data instanceof Int32Array
    ? new ort.Tensor("int32", data, shape)
    : new ort.Tensor("float32", data, shape);
}

function joined({ parts, sizeBytes }: ExternalData): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0];
}
