/**
 * Room for WebAssembly threads in Deno. No imports: the sampler and the cpu engine share it.
 *
 * Deno's V8 runs WebAssembly with explicit bounds checks, and when shared memory grows, a thread that
 * is at work goes on with the old bound: an address beyond it is an error that ends the thread, and the
 * main thread then waits for it for ever (onnxruntime-web 1.30 with two threads hangs so in most runs).
 * Memory that is large from the start never grows. It costs address space only: pages that nothing has
 * touched take no memory.
 */

/** 2 GiB in WebAssembly pages of 64 KiB; onnxruntime-web's own limit is 4 GiB. */
const ROOMY_PAGES = 32768;

/**
 * Runs `body`; shared WebAssembly memories that it creates start with 2 GiB where their limit allows
 * it. Does nothing special in other runtimes than Deno, which need no help.
 * @param body starts a threaded WebAssembly module, such as onnxruntime-web with its first session
 */
export async function withRoomyWasmMemory<T>(body: () => Promise<T>): Promise<T> {
  if (!("Deno" in globalThis)) return await body();
  const Original = WebAssembly.Memory;
  WebAssembly.Memory = class extends Original {
    constructor(descriptor: WebAssembly.MemoryDescriptor) {
      const { initial, maximum, shared } = descriptor;
      const roomy = shared && initial > 0 && maximum !== undefined;
      super(roomy ? { ...descriptor, initial: largerOf(initial, maximum) } : descriptor);
    }
  };
  try {
    return await body();
  } finally {
    WebAssembly.Memory = Original;
  }
}

function largerOf(initial: number, maximum: number): number {
  return Math.max(initial, Math.min(ROOMY_PAGES, maximum));
}
