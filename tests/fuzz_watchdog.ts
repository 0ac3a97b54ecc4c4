/**
 * The worker that ends a process whose thread a case keeps busy for ever, which no timer of that thread
 * can: it looks whether cases go on.
 */
interface WatchdogSetup {
  /** `[1]` how many cases have begun. */
  begun: Int32Array;
  maxMs: number;
}

interface WorkerScope {
  onmessage: ((event: MessageEvent<WatchdogSetup>) => void) | null;
}

(globalThis as unknown as WorkerScope).onmessage = ({ data: { begun, maxMs } }) => {
  let seen = -1;
  setInterval(() => {
    const now = Atomics.load(begun, 0);
    if (now === seen) {
      console.error(`fuzz: case ${now} has not ended in ${maxMs / 1000} s; the process is ended`);
      Deno.kill(Deno.pid, "SIGKILL");
    }
    seen = now;
  }, maxMs);
};
