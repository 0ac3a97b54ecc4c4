/**
 * What differs between Deno, Node and a page: whether there are files, how many cores may be used,
 * how to let other tasks run. Node's modules are reached through `process.getBuiltinModule`, which
 * Deno has too, so that bundlers for pages find no `node:` import.
 */

interface Process {
  versions?: { node?: string };
  /** "renderer" in the page of an Electron app. */
  type?: string;
  getBuiltinModule?(name: string): unknown;
}

const { process } = globalThis as { process?: Process };

/** True in Deno, Node and Bun, false in pages and their workers. */
export const hasFiles: boolean = typeof process?.versions?.node === "string" &&
  process.type !== "renderer" && typeof process.getBuiltinModule === "function";

/** The modules of Node that the sampler uses. */
interface Builtins {
  "node:fs/promises": typeof import("node:fs/promises");
  "node:path": typeof import("node:path");
  "node:url": typeof import("node:url");
  "node:os": typeof import("node:os");
}

/**
 * One of Node's modules, in Deno or Node.
 * @throws {TypeError} in a page, and in Node before 20.16
 */
export function builtin<Name extends keyof Builtins>(name: Name): Builtins[Name] {
  const module = hasFiles ? process?.getBuiltinModule?.(name) : undefined;
  if (module === undefined) {
    throw new TypeError(`Cannot use ${name}: it needs Deno or Node >= 20.16`);
  }
  return module as Builtins[Name];
}

/** True where WebAssembly may share memory between threads. */
function canShareMemory(): boolean {
  if (typeof SharedArrayBuffer === "undefined") return false;
  return hasFiles || (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated === true;
}

/** Why there can be one thread only, or null. */
export function threadObstacle(): string | null {
  if (typeof SharedArrayBuffer === "undefined" || !canShareMemory()) {
    return "threads take a cross-origin isolated page";
  }
  if (hasFiles) {
    const { permission } = process as Process as { permission?: { has(scope: string): boolean } };
    return permission?.has("worker") === false ? "this process may not start threads" : null;
  }
  return typeof Worker === "undefined" ? "there are no workers here" : null;
}

/**
 * Whether ONNX Runtime's own files can be read: Node and Deno's build reads them, and its threads do.
 * @param addresses of its `.wasm`; with none, only a try can tell
 */
export function canReadRuntime(addresses: readonly string[]): boolean {
  const { Deno: deno } = globalThis as {
    Deno?: { permissions: { querySync(query: object): { state: string } } };
  };
  const [address] = addresses;
  if (deno === undefined || address === undefined) return true;
  return deno.permissions.querySync({ name: "read", path: new URL(address) }).state === "granted";
}

/** How many threads to use by default: all cores in Deno and Node, up to 4 in a page that may. */
export function defaultThreads(): number {
  if (!canShareMemory()) return 1;
  const cores = globalThis.navigator?.hardwareConcurrency ??
    (hasFiles ? builtin("node:os").availableParallelism() : 1);
  return hasFiles ? cores : Math.min(4, cores);
}

/** Lets timers, input and other tasks run: WebAssembly holds the event loop while it computes. */
export function letOthersRun(): Promise<void> {
  const { setImmediate } = globalThis as { setImmediate?: (callback: () => void) => void };
  return new Promise((resolve) => {
    if (setImmediate !== undefined) return setImmediate(resolve);
    const { port1, port2 } = new MessageChannel(); // a timer would wait 4 ms
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
