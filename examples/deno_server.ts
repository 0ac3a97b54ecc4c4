/**
 * An HTTP endpoint that draws: `/sample?seed=7` answers with a PNG, `/sample?seed=7&count=100` with a
 * stream of them (multipart/mixed), each as soon as it is drawn. Also `truncation=0.7` and `label=NAME`.
 *
 *     deno run --allow-read --allow-net=127.0.0.1 examples/deno_server.ts generator.onnx 8018
 *
 * It listens on 127.0.0.1 and answers no other host name. Behind a proxy, pass that proxy's host names
 * as `hosts`.
 */
import { type Sample, type SampleOptions, Sampler, UserError } from "@ganforge/ganforge/sampler";

/** What keeps a crowd from filling the memory, and one slow client from stopping the others. */
export interface ServerOptions {
  /** Batches that are drawn at the same time; a client that reads slowly holds no place. */
  maxRunning: number;
  /** Requests that may wait to draw; more get 503. */
  maxWaiting: number;
  /** Streams that may be open at the same time, read or not; more get 503. */
  maxStreams: number;
  /** Milliseconds without a read after which a stream is closed. */
  stallMs: number;
  /** The largest `count`. */
  maxCount: number;
  /** Host names that are answered, without a port. */
  hosts: readonly string[];
}

const DEFAULTS: ServerOptions = {
  maxRunning: 2,
  maxWaiting: 64,
  maxStreams: 64,
  stallMs: 30_000,
  maxCount: 1000,
  hosts: ["127.0.0.1", "localhost", "[::1]"],
};

/** The server has too much to do: the client is to come back. */
class BusyError extends Error {}

/** Lets a bounded number of tasks run, and a bounded number wait. */
class Gate {
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(readonly limits: Pick<ServerOptions, "maxRunning" | "maxWaiting">) {}

  /** Runs a task when there is a place. A task that `mayQueue` waits however many wait already. */
  async run<T>(task: () => Promise<T>, mayQueue = false): Promise<T> {
    if (this.#running < this.limits.maxRunning) this.#running++;
    else if (!mayQueue && this.#waiting.length >= this.limits.maxWaiting) throw new BusyError();
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift(); // which takes over this place
      if (next === undefined) this.#running--;
      else next();
    }
  }
}

/**
 * Makes the endpoint's handler.
 * @throws {UserError} if the generator does not make images
 */
export function makeHandler(
  sampler: Sampler,
  options: Partial<ServerOptions> = {},
): (request: Request) => Promise<Response> {
  const settings = { ...DEFAULTS, ...options };
  if (sampler.info.output.kind !== "image") {
    throw new UserError(
      `Cannot serve ${sampler.info.name}: it makes points, and this serves images`,
    );
  }
  const gate = new Gate(settings);
  let streams = 0;
  return async (request) => {
    const url = new URL(request.url);
    if (!settings.hosts.includes(hostOf(request))) return text(403, "This host is not served here");
    if (url.pathname !== "/sample") return text(404, "Try /sample?seed=7");
    if (request.method !== "GET" && request.method !== "HEAD") {
      return text(405, "Only GET and HEAD are answered", { allow: "GET, HEAD" });
    }
    try {
      const query = readQuery(url.searchParams, sampler, settings);
      const isStream = url.searchParams.has("count");
      const headers: Record<string, string> = isStream
        ? { "content-type": "multipart/mixed; boundary=sample" }
        // The same query gives the same image until the model changes.
        : { "content-type": "image/png", "cache-control": "max-age=3600" };
      if (request.method === "HEAD") {
        await sampler.sample({ ...query, count: 0 }); // checks the query and draws nothing
        return new Response(null, { headers });
      }
      if (!isStream) {
        const png = await gate.run(async () => await toPng((await sampler.sample(query))[0]));
        return new Response(png, { headers });
      }
      if (streams >= settings.maxStreams) throw new BusyError();
      const samples = sampler.stream(query);
      const first = await gate.run(() => samples.next());
      if (first.done) throw new UserError("count takes an integer from 1 on");
      streams++;
      const body = multipart(first.value, {
        next: () => gate.run(() => samples.next(), true),
        stallMs: settings.stallMs,
        onEnd: () => {
          streams--;
          void samples.return();
        },
      });
      return new Response(body, { headers });
    } catch (error) {
      if (error instanceof BusyError) {
        return text(503, "Too many requests wait", { "retry-after": "1" });
      }
      if (error instanceof UserError) return text(400, error.message);
      if (error instanceof RangeError) return text(500, error.message);
      throw error;
    }
  };
}

/** The name in the request's `Host`, without its port. */
function hostOf(request: Request): string {
  return (request.headers.get("host") ?? "").replace(/:\d+$/, "").toLowerCase();
}

/** Checks the query before anything is drawn; the sampler itself checks seed, truncation and label. */
function readQuery(
  query: URLSearchParams,
  sampler: Sampler,
  settings: ServerOptions,
): SampleOptions {
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
  if (!Number.isInteger(count) || count < 1 || count > settings.maxCount) {
    throw new UserError(
      `count takes an integer from 1 to ${settings.maxCount}, and it is ${count}`,
    );
  }
  const given = query.get("label");
  const byName = given !== null && sampler.info.classNames?.includes(given);
  const label = given === null ? undefined : byName ? given : number("label");
  return { seed: number("seed"), count, truncation: number("truncation"), label };
}

/** @throws {RangeError} where the generator gave values that are no numbers */
function toPng(sample: Sample): Promise<Uint8Array<ArrayBuffer>> {
  if (!sample.values.every(Number.isFinite)) {
    throw new RangeError(`The generator gives values that are not finite for seed ${sample.seed}`);
  }
  return sample.toPng({ Software: "ganforge", Seed: `${sample.seed}` });
}

/** Where a stream's samples come from, and when it ends. */
interface Source {
  next(): Promise<IteratorResult<Sample, void>>;
  stallMs: number;
  /** Called once, however the stream ends. */
  onEnd(): void;
}

/** One part a sample; nothing is drawn while the client is slow, and one that stops reading is left. */
function multipart(first: Sample, { next, stallMs, onEnd }: Source): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let sample: Sample | undefined = first;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let ended = false;
  const end = () => {
    clearTimeout(timer);
    if (!ended) onEnd();
    ended = true;
  };
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      clearTimeout(timer);
      try {
        sample ??= (await next()).value ?? undefined;
        if (ended) return;
        if (sample === undefined) {
          controller.enqueue(encoder.encode("--sample--\r\n"));
          controller.close();
          return end();
        }
        const png = await toPng(sample);
        const head = `--sample\r\ncontent-type: image/png\r\nx-seed: ${sample.seed}\r\n` +
          `content-length: ${png.length}\r\n\r\n`;
        sample = undefined;
        // Without a timer a fast generator starves the other connections of Deno's event loop.
        await new Promise((resolve) => setTimeout(resolve));
        if (ended) return;
        for (const bytes of [encoder.encode(head), png, encoder.encode("\r\n")]) {
          controller.enqueue(bytes);
        }
        timer = setTimeout(() => {
          controller.error(new Error("the client stopped reading"));
          end();
        }, stallMs);
      } catch (error) {
        end();
        throw error;
      }
    },
    cancel: end,
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
    const sampler = await Sampler.load(model, { device: "wasm" });
    if (sampler.info.manifest === null) {
      console.error(`${model} has no ganforge manifest: no self-test, and its range is assumed`);
    } else await sampler.selfTest();
    Deno.serve({ hostname: "127.0.0.1", port: Number(port) }, makeHandler(sampler));
  } catch (error) {
    const isTaken = error instanceof Deno.errors.AddrInUse;
    if (!(error instanceof UserError) && !isTaken) throw error;
    console.error(isTaken ? `Cannot serve on port ${port}: it is taken` : error.message);
    Deno.exit(2);
  }
}
