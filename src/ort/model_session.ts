/** Runs a finished file in onnxruntime-web, for its self-test and the parity check. */
import { availableParallelism } from "node:os";
import type { HostTensor, HostTensors } from "../tensor/types.ts";
import { UserError } from "../errors.ts";
import type { ExternalData } from "../graph/external_data.ts";
import type { OrtModule, OrtSession, OrtTensor, OrtValueMetadata } from "./types.ts";
import { sessionOptionsFor } from "./wasm_memory.ts";
import { createWebSession, importWasmBuild } from "./web.ts";

/** A file that is ready to run. */
export interface ModelSession extends AsyncDisposable {
  /** For the person at the terminal, such as `onnxruntime-web 1.30.0`. */
  readonly runtime: string;
  /**
   * Runs a batch. Integer inputs become int64 where the file takes that.
   * @returns each output
   * @throws {UserError} when an input is not given or the runtime fails
   */
  run(inputs: HostTensors): Promise<Record<string, OutputTensor>>;
}

/** What an output holds. */
export interface OutputTensor {
  shape: number[];
  data: Float32Array | Int32Array | Uint8Array;
}

/**
 * Opens a file, lets `use` run it and releases it again.
 * @throws {UserError} when the runtime refuses it
 */
export async function withModel<Result>(
  bytes: Uint8Array,
  externalData: ExternalData | undefined,
  use: (session: ModelSession) => Promise<Result>,
): Promise<Result> {
  const session = await openModel(bytes, externalData);
  try {
    return await use(session); // no `await using`: Node 20 does not know it
  } finally {
    await session[Symbol.asyncDispose]();
  }
}

/**
 * Opens a file.
 * @throws {UserError} when the runtime refuses it
 */
export async function openModel(
  bytes: Uint8Array,
  externalData?: ExternalData,
): Promise<ModelSession> {
  const ort = await importWasmBuild("files");
  const threads = globalThis.navigator?.hardwareConcurrency ?? availableParallelism(); // Node 20
  const runtime = `onnxruntime-web ${ort.env.versions.web ?? ort.env.versions.common}`;
  let session: OrtSession;
  try {
    ({ session } = await createWebSession(ort, {
      threads,
      create: () =>
        ort.InferenceSession.create(bytes, {
          executionProviders: ["wasm"],
          logSeverityLevel: 3,
          ...sessionOptionsFor(externalData?.sizeBytes ?? 0),
          ...(externalData
            ? { externalData: [{ path: externalData.location, data: joined(externalData) }] }
            : {}),
        }),
    }));
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
          return [input.name, toOrtTensor(ort, inputs[input.name], input)];
        }),
      );
      const outputs = await session.run(feeds).catch((error: unknown) => {
        throw new UserError(`Cannot run the exported file in ${runtime}: ${firstLine(error)}`, {
          cause: error,
        });
      });
      return Object.fromEntries(
        Object.entries(outputs).map(([name, tensor]) => [name, {
          shape: [...tensor.dims],
          data: tensor.data as OutputTensor["data"],
        }]),
      );
    },
    [Symbol.asyncDispose]: () => session.release(),
  };
}

/** The tensor as the file wants it: whole numbers as int64, axes of length 1 where it has more of them. */
function toOrtTensor(
  ort: OrtModule,
  tensor: HostTensor | undefined,
  input: OrtValueMetadata,
): OrtTensor {
  if (tensor === undefined) {
    throw new UserError(`Cannot run the exported file: its input ${input.name} is not given`);
  }
  const wanted = input.isTensor ? input : { type: tensor.dtype, shape: tensor.shape };
  const shape = [...tensor.shape];
  while (shape.length < wanted.shape.length) shape.push(1);
  const { data } = tensor;
  if (wanted.type === "int64") {
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
