/** ONNX Runtime Web: on which device to run, with how many threads. Which build that takes: ort/web.ts. */
import { UserError } from "../errors.ts";
import type { OrtModule } from "../ort/types.ts";
import { createWebSession, importWasmBuild, importWebGpuBuild } from "../ort/web.ts";
import type { InputSpec } from "./generator_info.ts";
import { findGpu } from "./gpu.ts";
import { canShareMemory, defaultThreads, hasFiles } from "./platform.ts";
import { inTurn } from "./queue.ts";
import {
  createSession,
  type ModelBytes,
  reasonOf,
  type Runtime,
  runZeros,
  wrapSession,
} from "./session.ts";

/** Where to run. */
export interface RuntimeOptions {
  /**
   * `"auto"`: WebGPU where there is a hardware adapter and the generator runs on it, otherwise wasm;
   * `"wasm"`, `"webgpu"`: that one or an error. Default `"auto"`.
   */
  device?: "auto" | "wasm" | "webgpu";
  /**
   * Threads of the wasm device. Fixed by the first load of a process or page. Default: all cores in
   * Deno and Node, up to 4 in a cross-origin isolated page, otherwise 1.
   */
  threads?: number;
  /**
   * Where ONNX Runtime's WebAssembly lies, when the bundler does not place it: a folder's URL that ends
   * in `/` (in it `ort-wasm-simd-threaded.wasm`, and for WebGPU `ort-wasm-simd-threaded.asyncify.wasm`),
   * or the addresses of the `.wasm` file and its `.mjs`.
   */
  wasm?: string | URL | { wasm?: string | URL; mjs?: string | URL };
}

/**
 * Starts ONNX Runtime on a model.
 * @throws {UserError} if it cannot run here, or cannot make a session of the model
 */
export async function openRuntime(
  model: ModelBytes,
  name: string,
  input: InputSpec,
  options: RuntimeOptions,
): Promise<Runtime> {
  const { device = "auto", threads } = options;
  if (!["auto", "wasm", "webgpu"].includes(device)) {
    throw new UserError(`Cannot run on device "${device}": it takes auto, wasm or webgpu`);
  }
  if (threads !== undefined && !(Number.isInteger(threads) && threads > 0)) {
    throw new UserError(`Cannot run with ${threads} threads: it takes a positive integer`);
  }
  let fallback: string | null = null;
  if (device !== "wasm") {
    const gpu = await findGpu(device === "webgpu");
    if ("missing" in gpu) fallback = gpu.missing;
    else {
      try {
        return await openOnGpu(model, name, input, options, gpu.adapter);
      } catch (error) {
        fallback = `WebGPU failed: ${reasonOf(error)}`;
      }
    }
    if (device === "webgpu") throw new UserError(`Cannot run ${name} on webgpu: ${fallback}`);
  }
  try {
    return await openOnWasm(model, name, input, options, fallback);
  } catch (error) {
    if (error instanceof UserError) throw error;
    const reason = reasonOf(error);
    const message = reason.startsWith("no available backend found")
      ? `Cannot start ONNX Runtime: its WebAssembly cannot be loaded (${reason}); check that its ` +
        "files can be read, and the option wasm; it starts only once in a process or page"
      : `Cannot run ${name}: ONNX Runtime refuses it (${reason})`;
    throw new UserError(message, { cause: error });
  }
}

async function openOnGpu(
  model: ModelBytes,
  name: string,
  input: InputSpec,
  options: RuntimeOptions,
  adapter: string | null,
): Promise<Runtime> {
  const ort = await importWebGpuBuild();
  const session = await inTurn(() => {
    ort.env.wasm.numThreads = 1; // the GPU works; and this build's threads do not start in Deno
    setPaths(ort, options.wasm, "ort-wasm-simd-threaded.asyncify.wasm");
    return createSession(ort, model, "webgpu");
  });
  const device = { name: "webgpu", threads: 1, adapter, fallback: null } as const;
  const runtime = wrapSession(name, ort, session, input, device);
  try {
    await runZeros(runtime, input); // shaders are made in the first run: what fails there fails here
    return runtime;
  } catch (error) {
    await runtime.release();
    throw error;
  }
}

async function openOnWasm(
  model: ModelBytes,
  name: string,
  input: InputSpec,
  options: RuntimeOptions,
  reason: string | null,
): Promise<Runtime> {
  let fallback = reason;
  const ort = await importWasmBuild(hasFiles ? "files" : "page");
  const { session, threads } = await inTurn(() => {
    setPaths(ort, options.wasm, "ort-wasm-simd-threaded.wasm");
    return createWebSession(ort, {
      threads: canShareMemory() ? options.threads ?? defaultThreads() : 1,
      create: () => createSession(ort, model, "wasm"),
    });
  });
  if (options.threads !== undefined && options.threads !== threads) {
    const why = canShareMemory()
      ? `ONNX Runtime has already started with ${threads}`
      : "threads take a cross-origin isolated page";
    fallback = [fallback, `${threads} instead of ${options.threads} threads: ${why}`]
      .filter((part) => part !== null).join("; ");
  }
  return wrapSession(name, ort, session, input, { name: "wasm", threads, adapter: null, fallback });
}

function setPaths(ort: OrtModule, wasm: RuntimeOptions["wasm"], file: string): void {
  if (wasm === undefined) return;
  if (typeof wasm !== "string" && !(wasm instanceof URL)) {
    ort.env.wasm.wasmPaths = wasm;
    return;
  }
  const folder = `${wasm}`;
  if (!folder.endsWith("/")) {
    throw new UserError(`Cannot find WebAssembly under ${folder}: a folder's URL must end in "/"`);
  }
  ort.env.wasm.wasmPaths = { wasm: `${folder}${file}` };
}
