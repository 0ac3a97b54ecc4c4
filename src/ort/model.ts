/**
 * Runs an ONNX file that somebody else wrote, a feature extractor say, on the fastest ONNX Runtime that
 * this machine has. What the project's own networks need is behind `Engine`.
 */
import { UserError } from "../errors.ts";
import { loadRuntime } from "./runtime.ts";

/** A tensor that goes into a file. */
export interface ModelInput {
  /** Its values; their type is the tensor's. */
  data: Float32Array | Uint8Array;
  /** Its sizes, the batch first. */
  shape: number[];
}

/** A tensor that comes out. */
export interface ModelOutput {
  /** Its values. */
  data: Float32Array;
  /** Its sizes, the batch first. */
  shape: number[];
}

/** A file that is ready to run. */
export interface LoadedModel {
  /** For the person at the terminal: which runtime, how many threads. */
  readonly runtime: string;
  /**
   * Runs it.
   * @param outputs names of the float32 outputs that are wanted
   * @throws {UserError} where the runtime fails, or an output is not float32
   */
  run(inputs: Record<string, ModelInput>, outputs: string[]): Promise<Record<string, ModelOutput>>;
  /** Gives the runtime's memory back. */
  dispose(): Promise<void>;
}

/**
 * Opens a file.
 * @param name how messages call it
 * @throws {UserError} where the runtime refuses it
 */
export async function loadModel(bytes: Uint8Array, name: string): Promise<LoadedModel> {
  const { ort, sessionOptions, description, notTaken } = await loadRuntime();
  const session = await attempt(
    name,
    "refuses it",
    () => ort.InferenceSession.create(bytes, sessionOptions),
  );
  return {
    runtime: notTaken ? `${description} (${notTaken})` : description,
    async run(inputs, outputs) {
      const feeds = Object.fromEntries(
        Object.entries(inputs).map(([input, { data, shape }]) => [
          input,
          data instanceof Uint8Array
            ? new ort.Tensor("uint8", data, shape)
            : new ort.Tensor("float32", data, shape),
        ]),
      );
      const found = await attempt(name, "fails", () => session.run(feeds, outputs));
      return Object.fromEntries(outputs.map((output) => {
        const { data, dims } = found[output];
        if (data instanceof Float32Array) return [output, { data, shape: [...dims] }];
        throw new UserError(
          `Cannot use ${name}: its output ${output} is ${found[output].type}, expected float32`,
        );
      }));
    },
    dispose: () => session.release(),
  };
}

/** Turns what the runtime throws into one line that names the file. */
async function attempt<T>(name: string, what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    const reason = (error instanceof Error ? error.message : String(error))
      .replaceAll(/\s+/g, " ").trim();
    throw new UserError(`Cannot run ${name}: ONNX Runtime ${what} (${reason})`, {
      cause: error,
    });
  }
}
