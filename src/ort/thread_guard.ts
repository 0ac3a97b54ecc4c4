/**
 * Keeps a start of ONNX Runtime from waiting forever for threads that never come. No imports: the
 * sampler uses it in a page.
 *
 * ONNX Runtime's WebAssembly starts its threads as workers and waits until each says "loaded". A worker
 * that a Content-Security-Policy forbids, that loads the app's own file instead (a bundle of one file),
 * or that a bundler has written in another format never says so, and the start then waits for it
 * without end, with every later load behind it. The guard watches the workers. Where one fails, it lets
 * ONNX Runtime go on with a single thread: the number of threads is read once more after the workers
 * are there, so it is enough to change it and to answer "loaded" in the workers' place.
 */

/** What a worker of browsers, Node and Deno has in common, as Emscripten's glue uses it. */
interface ThreadWorker {
  postMessage(message: unknown, transfer?: unknown): void;
  terminate(): unknown;
  onmessage: ((event: { data: unknown }) => void) | null;
  onerror: ((event: unknown) => void) | null;
  addEventListener?(type: string, listener: (event: never) => void): void;
  on?(type: string, listener: (value: never) => void): void;
}

type WorkerClass = new (url: unknown, options?: { name?: string }) => ThreadWorker;

/** The name that Emscripten gives to the workers of its threads. */
const THREAD_NAME = "em-pthread";

/** What an app's file posts when it finds itself started as a thread; see {@linkcode isStrayThread}. */
const STRAY = "ganforge: the app's file was started as a thread";

/** How long a worker may take to load; a slow phone needs a second or two. */
const THREAD_START_MS = 10_000;

/** How long it may take once the app's file runs in it: one that has ONNX Runtime in it can still load. */
const STRAY_START_MS = 2_000;

/** How a guarded start went. */
export interface GuardedStart<T> {
  result: T;
  /** Why there is one thread only; null where all threads started. */
  fault: string | null;
}

/** The options of {@linkcode withThreadGuard}. */
export interface ThreadGuardOptions {
  /** Called as soon as a thread has failed, before ONNX Runtime goes on: sets it to one thread. */
  useOneThread(): void;
  /** Default 10,000. */
  timeoutMs?: number;
}

/**
 * Runs a start of ONNX Runtime. Where it fails, its workers are ended, so that Node and Deno can exit.
 * Starts must not overlap.
 */
export async function withThreadGuard<T>(
  start: () => Promise<T>,
  { useOneThread, timeoutMs = THREAD_START_MS }: ThreadGuardOptions,
): Promise<GuardedStart<T>> {
  const guard = new Guard(useOneThread, timeoutMs);
  const restore = replaceWorker((original) => guard.wrap(original));
  try {
    const result = await start();
    return { result, fault: guard.fault };
  } catch (error) {
    guard.terminateAll();
    throw error;
  } finally {
    guard.stop();
    restore();
  }
}

/**
 * Whether this file runs in a worker that was meant to be a thread of ONNX Runtime: then nothing may be
 * loaded here. Tells the page, which so need not wait for long.
 */
export function isStrayThread(): boolean {
  const scope = globalThis as { name?: unknown; WorkerGlobalScope?: unknown; document?: unknown };
  return scope.WorkerGlobalScope !== undefined && scope.document === undefined &&
    scope.name === THREAD_NAME;
}

if (isStrayThread()) {
  (globalThis as unknown as { postMessage(text: string): void }).postMessage(STRAY);
}

/**
 * Replaces the global `Worker`, and takes what is assigned to it meanwhile as the class to wrap: in Node
 * and Deno, ONNX Runtime assigns that of `node:worker_threads` as it starts.
 */
function replaceWorker(wrap: (original: WorkerClass) => WorkerClass): () => void {
  const before = Object.getOwnPropertyDescriptor(globalThis, "Worker");
  let original = (globalThis as { Worker?: WorkerClass }).Worker;
  let wrapped = original && wrap(original);
  try {
    Object.defineProperty(globalThis, "Worker", {
      configurable: true,
      enumerable: false,
      get: () => wrapped,
      set: (value: WorkerClass) => {
        original = value;
        wrapped = value && wrap(value);
      },
    });
  } catch {
    return () => {}; // a hardened page: nothing can be watched there
  }
  return () => {
    if (before === undefined && original === undefined) {
      delete (globalThis as { Worker?: unknown }).Worker;
    } else {
      Object.defineProperty(globalThis, "Worker", {
        configurable: true,
        enumerable: before?.enumerable ?? false,
        writable: true,
        value: original,
      });
    }
  };
}

/** The workers of one start. */
class Guard {
  fault: string | null = null;
  readonly #waiting = new Map<ThreadWorker, () => void>();
  readonly #all: ThreadWorker[] = [];
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  readonly #useOneThread: () => void;
  readonly #timeoutMs: number;
  #isOver = false;

  constructor(useOneThread: () => void, timeoutMs: number) {
    this.#useOneThread = useOneThread;
    this.#timeoutMs = timeoutMs;
  }

  /** The class that makes guarded workers; those of others are made as ever. */
  wrap(original: WorkerClass): WorkerClass {
    // deno-lint-ignore no-this-alias
    const guard = this;
    const wrapped = function (url: unknown, options?: { name?: string }): ThreadWorker {
      if (options?.name !== THREAD_NAME) return new original(url, options);
      return guard.#make(() => new original(url, options));
    };
    wrapped.prototype = original.prototype;
    return wrapped as unknown as WorkerClass;
  }

  #make(create: () => ThreadWorker): ThreadWorker {
    let worker: ThreadWorker;
    let refusal: unknown;
    try {
      worker = create();
    } catch (error) { // a policy forbids it
      refusal = error;
      worker = { postMessage: () => {}, terminate: () => {}, onmessage: null, onerror: null };
      worker.on = () => {}; // what Node's glue calls
    }
    this.#all.push(worker);
    const post = worker.postMessage.bind(worker);
    worker.postMessage = (message, transfer) => {
      const command = findCommand(message, "load");
      if (command !== null && !this.#isOver) {
        this.#waiting.set(worker, () => worker.onmessage?.({ data: { [command]: "loaded" } }));
        if (refusal !== undefined) {
          // Once the caller has gone on to wait for the answer.
          queueMicrotask(() => this.#fail((refusal as Error).message));
        } else if (this.fault !== null) queueMicrotask(() => this.#answerAll());
        else this.#failAfter(worker, this.#timeoutMs);
      }
      if (refusal === undefined) post(message, transfer);
    };
    const seen = (data: unknown) => {
      if (data === STRAY) this.#failAfter(worker, STRAY_START_MS);
      else if (findCommand(data, "loaded") !== null) this.#waiting.delete(worker);
    };
    const failed = (event: { message?: string; preventDefault?(): void } | Error) => {
      if (!this.#waiting.has(worker) && this.fault === null) return; // it fails after the start
      if ("stopImmediatePropagation" in event) {
        (event as Event).preventDefault();
        (event as Event).stopImmediatePropagation(); // ONNX Runtime would throw it
      }
      worker.onerror = () => {};
      this.#fail(event.message || "a worker cannot be loaded");
    };
    if (refusal === undefined && worker.addEventListener !== undefined) {
      worker.addEventListener("message", ({ data }: { data: unknown }) => seen(data));
      worker.addEventListener("error", failed);
    } else if (refusal === undefined) {
      worker.on?.("message", seen);
      worker.on?.("error", failed);
    }
    return worker;
  }

  #failAfter(worker: ThreadWorker, ms: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (this.#waiting.has(worker)) this.#fail(`a worker did not start within ${ms / 1000} s`);
    }, ms);
    this.#timers.add(timer);
  }

  #fail(reason: string): void {
    if (this.#isOver) return;
    if (this.fault === null) {
      this.fault = reason.replaceAll(/\s+/g, " ").trim();
      this.#useOneThread();
      this.terminateAll();
    }
    this.#answerAll();
  }

  #answerAll(): void {
    const answers = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const answer of answers) answer();
  }

  terminateAll(): void {
    for (const worker of this.#all) void worker.terminate();
  }

  stop(): void {
    this.#isOver = true;
    for (const timer of this.#timers) clearTimeout(timer);
  }
}

/** The key under which a message has a command: the glue is minified, so its name may change. */
function findCommand(message: unknown, command: string): string | null {
  if (typeof message !== "object" || message === null) return null;
  for (const [key, value] of Object.entries(message)) if (value === command) return key;
  return null;
}
