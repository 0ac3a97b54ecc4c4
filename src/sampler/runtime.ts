/** ONNX Runtime Web: on which device to run, with how many threads, and its start. */
import { UserError } from "../errors.ts";
import type { OrtModule } from "../ort/types.ts";
import { hasStarted, startWeb, type WebStart } from "../ort/start.ts";
import { currentBuilds, type RuntimeBuild } from "./builds.ts";
import type { ByteProgress } from "./download.ts";
import { findGpu } from "./gpu.ts";
import { defaultThreads, hasFiles, threadObstacle } from "./platform.ts";
import { inTurn, untilAborted } from "./queue.ts";
import { givenModule, readRuntimeWasm, type RuntimeWasm } from "./runtime_wasm.ts";
import { createSession, type ModelBytes, reasonOf, type Runtime, wrapSession } from "./session.ts";
import type { SourceOptions } from "./source.ts";

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
  /** Where ONNX Runtime's `.wasm` lies, or its bytes, where the bundler does not place it. */
  wasm?: RuntimeWasm;
}

/** What Chromium, Firefox and WebKit say where a page's policy forbids WebAssembly. */
const FORBIDDEN = /content security policy|blocked by CSP/i;
/** Runs a model once. */
export type Trial = (runtime: Runtime) => Promise<unknown>;

/** The options of a start of the runtime. */
export interface StartOptions
  extends RuntimeOptions, Pick<SourceOptions, "signal" | "cache" | "fetch"> {
  /** Called with the bytes of ONNX Runtime's `.wasm` that have arrived, while it is fetched. */
  onBytes?: ByteProgress;
  /** Called when ONNX Runtime starts, or makes a session. */
  onStart?: () => void;
}

/**
 * Starts ONNX Runtime on a model.
 * @param trial a first run, which shows whether a GPU can
 * @param reason why it is not the device that was asked for, where that was tried before
 * @throws {UserError} if it cannot run here, or cannot make a session of the model
 */
export async function openRuntime(
  model: ModelBytes,
  name: string,
  trial: Trial,
  options: StartOptions,
  reason: string | null = null,
): Promise<Runtime> {
  const { device = "auto", threads } = options;
  if (!["auto", "wasm", "webgpu"].includes(device)) {
    throw new UserError(`Cannot run on device "${device}": it takes auto, wasm or webgpu`);
  }
  if (threads !== undefined && !(Number.isInteger(threads) && threads > 0)) {
    throw new UserError(`Cannot run with ${threads} threads: it takes a positive integer`);
  }
  let fallback = reason;
  if (device !== "wasm") {
    const build = currentBuilds().webgpu;
    const gpu = build === null
      ? { missing: "the static entry has no WebGPU" }
      : await findGpu(device === "webgpu");
    if ("missing" in gpu || build === null) fallback = "missing" in gpu ? gpu.missing : null;
    else {
      try {
        return await openOnGpu({ model, name, trial, options, build }, gpu.adapter);
      } catch (error) {
        options.signal?.throwIfAborted();
        fallback = `WebGPU failed: ${reasonOf(error)}`;
      }
    }
    if (device === "webgpu") throw new UserError(`Cannot run ${name} on webgpu: ${fallback}`);
  }
  return await openOnWasm({ model, name, trial, options, build: currentBuilds().wasm }, fallback);
}

/** A model, and the build of ONNX Runtime that is to run it. */
interface Opening {
  model: ModelBytes;
  name: string;
  trial: Trial;
  options: StartOptions;
  build: RuntimeBuild;
}

async function openOnGpu(opening: Opening, adapter: string | null): Promise<Runtime> {
  const { model, name, trial, options, build } = opening;
  // One thread: the GPU works; and this build's threads do not start in Deno.
  const { ort } = await startBuild(build, options, 1);
  const session = await makeSession(ort, model, "webgpu", options.signal);
  const device = { name: "webgpu", threads: 1, adapter, fallback: null } as const;
  const runtime = wrapSession(name, ort, session, device);
  try {
    await trial(runtime); // shaders are made in the first run: what fails there fails here
    return runtime;
  } catch (error) {
    await runtime.release();
    throw error;
  }
}

async function openOnWasm(opening: Opening, reason: string | null): Promise<Runtime> {
  const { model, name, options, build } = opening;
  const obstacle = threadObstacle() ??
    (hasFiles && !build.hasThreadsOutsidePages
      ? "this build of ONNX Runtime has none outside of pages"
      : null);
  const wanted = obstacle === null ? options.threads ?? defaultThreads() : 1;
  const { ort, threads, threadFault } = await startBuild(build, options, wanted);
  let session;
  try {
    session = await makeSession(ort, model, "wasm", options.signal);
  } catch (error) {
    options.signal?.throwIfAborted();
    const message = `Cannot run ${name}: ONNX Runtime refuses it (${reasonOf(error)})`;
    throw new UserError(message, { cause: error });
  }
  const asked = options.threads ?? wanted;
  const why = threadFault !== null ? `its threads cannot start: ${threadFault}` : obstacle ??
    `ONNX Runtime has already started with ${threads}`;
  // Nobody asked where the number is the default one, and a page without isolation has no threads.
  const isTold = threadFault !== null || options.threads !== undefined;
  const fewer = isTold && asked !== threads
    ? `${threads} instead of ${asked} threads: ${why}`
    : null;
  const fallback = [reason, fewer].filter((part) => part !== null).join("; ") || null;
  return wrapSession(name, ort, session, { name: "wasm", threads, adapter: null, fallback });
}

/** Makes a session once those before are made; one that comes after the signal is released again. */
function makeSession(
  ort: OrtModule,
  model: ModelBytes,
  device: "wasm" | "webgpu",
  signal: AbortSignal | undefined,
): ReturnType<typeof createSession> {
  const making = inTurn(() => {
    signal?.throwIfAborted();
    return createSession(ort, model, device);
  });
  return untilAborted(making, signal, (late) => void inTurn(() => late.release()));
}

/** The last start of each build that has begun, whatever became of it. */
const lastStarts = new Map<RuntimeBuild, Promise<unknown>>();

/**
 * Loads a build, fetches its `.wasm` and starts it, once; a start that fails or is stopped while it
 * fetches leaves the next one free to try again.
 */
async function startBuild(
  build: RuntimeBuild,
  options: StartOptions,
  threads: number,
): Promise<WebStart & { ort: OrtModule }> {
  const { signal, onBytes = () => {}, onStart = () => {} } = options;
  const before = lastStarts.get(build) ?? Promise.resolve();
  const starting = before.catch(() => {}).then(async () => {
    signal?.throwIfAborted();
    const ort = await build.load();
    const module = givenModule(options.wasm);
    if (module !== undefined && !hasStarted(ort)) ort.env.wasm.wasmPaths = { mjs: module };
    const wasmBinary = hasStarted(ort)
      ? undefined
      : await readRuntimeWasm(build, ort, options, onBytes);
    onStart();
    signal?.throwIfAborted();
    try {
      return { ort, ...await inTurn(() => startWeb(ort, { threads, wasmBinary })) };
    } catch (error) {
      if (FORBIDDEN.test(reasonOf(error))) {
        throw new UserError(
          "Cannot start ONNX Runtime: WebAssembly is forbidden here; add 'wasm-unsafe-eval' to script-src in " +
            "the page's Content-Security-Policy, and load the page anew",
          { cause: error },
        );
      }
      throw new UserError(
        `Cannot start ONNX Runtime: its WebAssembly cannot be loaded (${
          reasonOf(error)
        }); check that ` +
          "its files can be read, and the option wasm; it starts only once in a process or page",
        { cause: error },
      );
    }
  });
  lastStarts.set(build, starting.catch(() => {}));
  return await untilAborted(starting, signal);
}
