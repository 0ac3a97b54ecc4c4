/**
 * Room in WebAssembly's memory, for threads in Deno and for large weights. No imports: the sampler, the
 * exporter and the CPU engine share it.
 *
 * Deno's V8 runs WebAssembly with explicit bounds checks, and when shared memory grows, a thread that
 * is at work goes on with the old bound: an address beyond it is an error that ends the thread, and the
 * main thread then waits for it forever (onnxruntime-web 1.30 with two threads hangs so in most runs).
 * Memory that is large from the start never grows. It costs address space only: pages that nothing has
 * touched take no memory.
 */

/** 2 GiB in WebAssembly pages of 64 KiB; onnxruntime-web's own limit is 4 GiB. */
const ROOMY_PAGES = 32768;

/** How many calls of {@linkcode withRoomyWasmMemory} are running. They may overlap. */
let callsInProgress = 0;

/**
 * Runs `body`; shared WebAssembly memories that are created meanwhile start with 2 GiB where their
 * limit allows it. `WebAssembly.Memory` is replaced when the first of overlapping calls begins, and put
 * back when the last one ends. Other runtimes than Deno need no help, and nothing is replaced there.
 * @param body starts a threaded WebAssembly module, such as onnxruntime-web with its first session
 */
export async function withRoomyWasmMemory<T>(body: () => Promise<T>): Promise<T> {
  if (!("Deno" in globalThis)) return await body();
  if (callsInProgress === 0) replaceMemory();
  callsInProgress++;
  try {
    return await body();
  } finally {
    callsInProgress--;
    if (callsInProgress === 0) putMemoryBack();
  }
}

let original: typeof WebAssembly.Memory | undefined;
let replacement: typeof WebAssembly.Memory | undefined;

function replaceMemory(): void {
  const Original = WebAssembly.Memory;
  original = Original;
  replacement = class extends Original {
    constructor(descriptor: WebAssembly.MemoryDescriptor) {
      const { initial, maximum, shared } = descriptor;
      const roomy = callsInProgress > 0 && shared && initial > 0 && maximum !== undefined;
      super(roomy ? { ...descriptor, initial: largerOf(initial, maximum) } : descriptor);
    }
  };
  WebAssembly.Memory = replacement;
}

/** Leaves the class of whoever has replaced it since, such as a second copy of this file. */
function putMemoryBack(): void {
  if (WebAssembly.Memory === replacement && original) WebAssembly.Memory = original;
}

/** From this size on, a second copy of a model's weights may be one too many for 4 GiB. */
const MANY_BYTES = 2 ** 30;

/**
 * What ONNX Runtime's `InferenceSession.create` needs as options so that large weights fit into
 * WebAssembly's 4 GiB: not to keep a second copy of them, packed for faster products, and to give memory
 * back. Nothing for ordinary models.
 */
export function sessionOptionsFor(weightBytes: number): {
  enableCpuMemArena?: false;
  extra?: { session: { disable_prepacking: "1" } };
} {
  if (weightBytes < MANY_BYTES) return {};
  return { enableCpuMemArena: false, extra: { session: { disable_prepacking: "1" } } };
}

function largerOf(initial: number, maximum: number): number {
  return Math.max(initial, Math.min(ROOMY_PAGES, maximum));
}
