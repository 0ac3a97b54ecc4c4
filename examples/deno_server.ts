/**
 * An HTTP endpoint that draws: `/sample?seed=7` answers with a PNG, `/sample?seed=7&count=100` with a
 * stream of them (multipart/mixed), one as soon as it is drawn. Also `truncation=0.7` and `label=NAME`.
 *
 *     deno run --allow-read --allow-net=127.0.0.1 examples/deno_server.ts generator.onnx 8018
 */
import { type Sample, type SampleOptions, Sampler, UserError } from "@ganforge/ganforge/sampler";

/** What keeps a crowd from filling the memory. */
export interface Limits {
  /** Requests that draw at the same time. */
  maxRunning: number;
  /** Requests that may wait for their turn; more are told to come back (503). */
  maxWaiting: number;
  /** The largest `count`. */
  maxCount: number;
}

const DEFAULT_LIMITS: Limits = { maxRunning: 2, maxWaiting: 64, maxCount: 1000 };

/** Lets a bounded number of tasks run, and a bounded number wait. */
class Gate {
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(readonly limits: Limits) {}

  /** Waits for a place; false if too many wait already. */
  async enter(): Promise<boolean> {
    if (this.#running < this.limits.maxRunning) {
      this.#running++;
      return true;
    }
    if (this.#waiting.length >= this.limits.maxWaiting) return false;
    await new Promise<void>((resolve) => this.#waiting.push(resolve)); // `leave` hands its place over
    return true;
  }

  leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#running--;
    else next();
  }
}

/** Makes the endpoint's handler. */
export function makeHandler(
  sampler: Sampler,
  limits: Partial<Limits> = {},
): (request: Request) => Promise<Response> {
  const gate = new Gate({ ...DEFAULT_LIMITS, ...limits });
  return async (request) => {
    const url = new URL(request.url);
    if (url.pathname !== "/sample") return text(404, "Try /sample?seed=7");
    if (request.method !== "GET") return text(405, "Only GET is answered", { allow: "GET" });
    let options: SampleOptions;
    try {
      options = readQuery(url.searchParams, sampler, gate.limits);
    } catch (error) {
      return text(400, (error as Error).message);
    }
    if (!await gate.enter()) return text(503, "Too many requests wait", { "retry-after": "1" });
    const samples = sampler.stream(options);
    try {
      const first = await samples.next();
      if (first.done) throw new UserError("count takes an integer from 1 on");
      if ((options.count ?? 1) === 1) {
        const png = await toPng(first.value);
        gate.leave();
        // The same query gives the same picture until the model changes.
        return new Response(png, {
          headers: { "content-type": "image/png", "cache-control": "max-age=3600" },
        });
      }
      return new Response(parts(first.value, samples, () => gate.leave()), {
        headers: { "content-type": "multipart/mixed; boundary=sample" },
      });
    } catch (error) {
      gate.leave();
      if (error instanceof UserError) return text(400, error.message);
      throw error;
    }
  };
}

/** Checks the query before anything is drawn; the sampler itself checks seed, truncation and label. */
function readQuery(query: URLSearchParams, sampler: Sampler, limits: Limits): SampleOptions {
  for (const key of query.keys()) {
    if (!["seed", "count", "truncation", "label"].includes(key)) {
      throw new UserError(`There is no parameter ${key}: try seed, count, truncation, label`);
    }
  }
  const number = (key: string): number | undefined => {
    const given = query.get(key);
    if (given === null) return undefined;
    if (given.trim() === "" || !Number.isFinite(Number(given))) {
      throw new UserError(`${key} takes a number, and it is ${JSON.stringify(given)}`);
    }
    return Number(given);
  };
  const count = number("count") ?? 1;
  if (!Number.isInteger(count) || count < 1 || count > limits.maxCount) {
    throw new UserError(`count takes an integer from 1 to ${limits.maxCount}, and it is ${count}`);
  }
  const given = query.get("label");
  const byName = given !== null && sampler.info.classNames?.includes(given);
  const label = given === null ? undefined : byName ? given : number("label");
  return { seed: number("seed"), count, truncation: number("truncation"), label };
}

function toPng(sample: Sample): Promise<Uint8Array<ArrayBuffer>> {
  return sample.toPng({ Software: "ganforge", Seed: `${sample.seed}` });
}

/** One part a sample; drawing waits while the client is slow, and ends when it goes. */
function parts(
  first: Sample,
  rest: AsyncGenerator<Sample, void, void>,
  onEnd: () => void,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let next: IteratorResult<Sample, void> = { done: false, value: first };
  let ended = false;
  const end = () => {
    if (!ended) onEnd();
    ended = true;
  };
  return new ReadableStream({
    async pull(controller) {
      try {
        if (next.done) {
          controller.enqueue(encoder.encode("--sample--\r\n"));
          controller.close();
          return end();
        }
        const png = await toPng(next.value);
        const head = `--sample\r\ncontent-type: image/png\r\nx-seed: ${next.value.seed}\r\n` +
          `content-length: ${png.length}\r\n\r\n`;
        for (const bytes of [encoder.encode(head), png, encoder.encode("\r\n")]) {
          controller.enqueue(bytes);
        }
        next = await rest.next();
        // Without a timer a fast drawing starves the other connections of Deno's event loop.
        await new Promise((resolve) => setTimeout(resolve));
      } catch (error) {
        end();
        throw error;
      }
    },
    async cancel() {
      end();
      await rest.return();
    },
  });
}

function text(status: number, message: string, headers: HeadersInit = {}): Response {
  return new Response(`${message}\n`, { status, headers });
}

if (import.meta.main) {
  const [model = "generator.onnx", port = "8018"] = Deno.args;
  try {
    if (!/^\d{1,5}$/.test(port) || Number(port) > 65535) {
      throw new UserError(`Cannot serve on port ${port}: it takes a number from 0 to 65535`);
    }
    const sampler = await Sampler.load(model, { device: "wasm", selfTest: true });
    Deno.serve({ hostname: "127.0.0.1", port: Number(port) }, makeHandler(sampler));
  } catch (error) {
    const isTaken = error instanceof Deno.errors.AddrInUse;
    if (!(error instanceof UserError) && !isTaken) throw error;
    console.error(isTaken ? `Cannot serve on port ${port}: it is taken` : error.message);
    Deno.exit(2);
  }
}
