import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { withThreadGuard } from "../../src/ort/thread_guard.ts";

/** A worker that does what its kind does with the command "load". */
class FakeWorker extends EventTarget {
  static made: FakeWorker[] = [];
  static kinds: ("loads" | "fails" | "silent" | "forbidden")[] = [];
  readonly kind: string;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onerror: ((event: unknown) => void) | null = null;
  terminated = false;

  constructor(_url: unknown, _options?: unknown) {
    super();
    this.kind = FakeWorker.kinds[FakeWorker.made.length] ?? "loads";
    FakeWorker.made.push(this);
    if (this.kind === "forbidden") throw new Error("forbidden by the policy");
  }

  postMessage(message: { Zz?: string }): void {
    if (message.Zz !== "load") return;
    const event = this.kind === "loads"
      ? new MessageEvent("message", { data: { Zz: "loaded" } })
      : this.kind === "fails"
      ? new ErrorEvent("error", { message: "refused to load", cancelable: true })
      : null;
    if (event === null) return;
    queueMicrotask(() => {
      this.dispatchEvent(event);
      if (event.type === "message") this.onmessage?.(event as MessageEvent);
    });
  }

  terminate(): void {
    this.terminated = true;
  }
}

/** What Emscripten's glue does: makes workers, and waits until all are loaded. */
async function startThreads(count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, () =>
    new Promise<void>((resolve) => {
      const worker = new Worker("x", { name: "em-pthread", type: "module" });
      worker.onmessage = ({ data }) => data.Zz === "loaded" && resolve();
      worker.onerror = () => {
        throw new Error("the guard must keep this from being called");
      };
      worker.postMessage({ Zz: "load", handlers: [] });
    })));
}

async function guarded(
  kinds: (typeof FakeWorker.kinds)[number][],
): Promise<{ fault: string | null; oneThread: number; terminated: boolean[] }> {
  const own = globalThis.Worker;
  FakeWorker.made = [];
  FakeWorker.kinds = kinds;
  globalThis.Worker = FakeWorker as unknown as typeof Worker;
  let oneThread = 0;
  try {
    const { fault } = await withThreadGuard(() => startThreads(kinds.length), {
      useOneThread: () => oneThread++,
      timeoutMs: 30,
    });
    assertEquals(globalThis.Worker as unknown, FakeWorker); // what was there is there again
    return { fault, oneThread, terminated: FakeWorker.made.map((worker) => worker.terminated) };
  } finally {
    globalThis.Worker = own;
  }
}

Deno.test("withThreadGuard() leaves threads that start alone", async () => {
  assertEquals(await guarded(["loads", "loads", "loads"]), {
    fault: null,
    oneThread: 0,
    terminated: [false, false, false],
  });
});

Deno.test("withThreadGuard() goes on with one thread where a worker fails, is silent or forbidden", async () => {
  for (
    const [kind, reason] of [
      ["fails", /^refused to load$/],
      ["silent", /^a worker did not start within 0.03 s$/],
      ["forbidden", /^forbidden by the policy$/],
    ] as const
  ) {
    for (const kinds of [[kind], ["loads", kind], [kind, "loads", kind]] as const) {
      const { fault, oneThread, terminated } = await guarded([...kinds]);
      assertMatch(fault!, reason);
      assertEquals(oneThread, 1);
      assert(terminated.every((each, i) => each || kinds[i] === "forbidden"), `${kinds}`);
    }
  }
});

Deno.test("withThreadGuard() ends the workers of a start that fails, and puts Worker back", async () => {
  const own = globalThis.Worker;
  FakeWorker.made = [];
  FakeWorker.kinds = ["loads"];
  globalThis.Worker = FakeWorker as unknown as typeof Worker;
  try {
    await assertRejects(
      () =>
        withThreadGuard(async () => {
          await startThreads(1);
          throw new Error("no memory");
        }, { useOneThread: () => {} }),
      Error,
      "no memory",
    );
    assertEquals(FakeWorker.made.map(({ terminated }) => terminated), [true]);
    assertEquals(globalThis.Worker as unknown, FakeWorker);
  } finally {
    globalThis.Worker = own;
  }
});
