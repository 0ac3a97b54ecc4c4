/**
 * Gets ONNX Runtime's `.wasm` as a model is got: with progress, a signal, the cache, and an error that
 * another try may follow. ONNX Runtime itself can do none of that, and after one failure never starts.
 */
import { DownloadError, GanforgeError, UserError } from "../errors.ts";
import type { OrtModule } from "../ort/types.ts";
import type { RuntimeBuild } from "./builds.ts";
import type { ByteProgress } from "./download.ts";
import { canReadRuntime, hasFiles } from "./platform.ts";
import { type ModelSource, readSource, type SourceOptions } from "./source.ts";

/**
 * Where ONNX Runtime's WebAssembly is: its bytes or a `Response` of them; its address; the address of
 * its folder, which ends in `/` (in it `ort-wasm-simd-threaded.wasm`, and for WebGPU
 * `ort-wasm-simd-threaded.asyncify.wasm`); or the addresses of the `.wasm` and of its `.mjs`.
 */
export type RuntimeWasm = ModelSource | { wasm?: string | URL; mjs?: string | URL };

/** How to get it. */
export type RuntimeWasmOptions = Pick<SourceOptions, "signal" | "cache" | "fetch"> & {
  wasm?: RuntimeWasm;
};

/**
 * Reads a build's `.wasm`.
 * @returns undefined where only ONNX Runtime itself knows where it lies, as in a bundle for Node
 * @throws {UserError} where it cannot be had, or is no WebAssembly
 */
export async function readRuntimeWasm(
  build: RuntimeBuild,
  ort: OrtModule,
  options: RuntimeWasmOptions,
  onProgress: ByteProgress,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const { wasm, signal, cache, fetch } = options;
  const given = givenSource(wasm, build.wasmFile);
  const { web, common } = ort.env.versions;
  const read = async (source: ModelSource) => {
    const settings = { signal, cache, fetch, model: `onnxruntime-web ${web ?? common}` };
    return (await readSource(source, settings, onProgress, checkWasm)).bytes;
  };
  if (given !== undefined) {
    const bytes = await read(given);
    // Whoever hands over bytes may hand over any: a start on wrong ones would be the last.
    if (typeof given === "string" || given instanceof URL || WebAssembly.validate(bytes)) {
      return bytes;
    }
    throw new UserError("Cannot start ONNX Runtime: the given wasm is damaged WebAssembly");
  }
  const addresses = build.wasmAddresses();
  const places = hasFiles && !canReadRuntime(addresses) ? [] : addresses;
  const faults: string[] = [];
  for (const address of places) {
    try {
      return await read(address);
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof GanforgeError)) throw error;
      faults.push(error.message.replace(/^Cannot load /, ""));
    }
  }
  if (hasFiles && canReadRuntime(addresses)) return undefined; // a bundle: ONNX Runtime knows its folder
  const tried = faults.length > 0
    ? faults.join("; ")
    : `no address of ${build.wasmFile} is known here`;
  const Cause = faults.length > 0 ? DownloadError : UserError;
  throw new Cause(
    `Cannot start ONNX Runtime: its WebAssembly cannot be loaded (${tried}); give its address or its ` +
      "bytes as the option wasm, or try again",
  );
}

/** The `.wasm` that the option names, or undefined where it names none. */
function givenSource(wasm: RuntimeWasm | undefined, file: string): ModelSource | undefined {
  if (typeof wasm === "string" || wasm instanceof URL) {
    const address = `${wasm}`;
    if (address.endsWith("/")) return `${address}${file}`;
    if (/\.wasm($|[?#])|^(blob|data):/i.test(address)) return wasm;
    throw new UserError(
      `Cannot find WebAssembly under ${address}: a folder's URL must end in "/", a file's name in .wasm`,
    );
  }
  const isBytes = wasm instanceof Uint8Array || wasm instanceof ArrayBuffer ||
    wasm instanceof Response || wasm instanceof Blob;
  return isBytes ? wasm : wasm?.wasm;
}

function checkWasm(bytes: Uint8Array, name: string): void {
  const isWasm = bytes[0] === 0 && bytes[1] === 0x61 && bytes[2] === 0x73 && bytes[3] === 0x6d;
  if (isWasm) return;
  const start = String.fromCharCode(...bytes.subarray(0, 20)).trimStart();
  const what = start.startsWith("<") ? "a web page (HTML)" : "something else";
  throw new UserError(`Cannot load ${name}: it is not WebAssembly but ${what}`);
}

/** The address of ONNX Runtime's `.mjs`, where the option names one. */
export function givenModule(wasm: RuntimeWasm | undefined): string | undefined {
  const isPair = typeof wasm === "object" && wasm !== null && "mjs" in wasm;
  return isPair && wasm.mjs !== undefined ? `${wasm.mjs}` : undefined;
}
