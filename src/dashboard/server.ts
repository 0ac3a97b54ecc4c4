/**
 * The server of the dashboard: a page, the runs as JSON, changes as server-sent events, and the runs' images
 * and models. It listens on the loopback only, answers only requests that were meant for it, and serves
 * no file from outside the folder of runs.
 */
import { UserError } from "../errors.ts";
import { readEvaluations } from "../run/evaluations.ts";
import { readEvents } from "../run/events_log.ts";
import { requestStop } from "../run/stop_request.ts";
import { isForLoopback } from "../site.ts";
import type { RasterImage } from "../raster/raster.ts";
import type { RunIndex } from "./run_index.ts";
import type { RunSummary } from "./run_summary.ts";

/** A file of the page. */
export interface PageFile {
  /** Its MIME type. */
  type: string;
  body: Uint8Array<ArrayBuffer>;
}

/** What the server serves. */
export interface DashboardOptions {
  /** The runs. */
  index: RunIndex;
  /** The page's files by path, `index.html` among them. */
  page: ReadonlyMap<string, PageFile>;
  /** 0 for any free port. */
  port: number;
  /** Writes a run's `generator.onnx` from its latest checkpoint. */
  exportRun: (folder: string) => Promise<void>;
  /** Draws a run's training images that are nearest to an image, as PNG. */
  nearestImages: (folder: string, image: RasterImage) => Promise<Uint8Array>;
  /** Milliseconds between two looks at the runs. Default 1000. */
  intervalMs?: number;
  /** Aborting it ends the server, and what it streams. */
  signal?: AbortSignal;
}

/** Nothing from elsewhere, nothing inline; WebAssembly, for the sampler, may compile. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const HEADERS = {
  "content-security-policy": POLICY,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-cache",
  // Threads for ONNX Runtime.
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

/** What of a run's folder may be read: images, the model, the report. */
const SERVED = /^(samples\/[\w-]+\.png|[\w.-]+\.(png|gif|svg|onnx|md))$/;
const TYPES: Readonly<Record<string, string>> = {
  png: "image/png",
  gif: "image/gif",
  svg: "image/svg+xml",
  onnx: "application/octet-stream",
  md: "text/plain; charset=utf-8",
};

/** A page of another site cannot send this header without asking first, which is never allowed. */
const OWN_HEADER = "x-ganforge";

/** Points of a curve. */
const DEFAULT_POINTS = 1500;
const MAX_POINTS = 20_000;

/**
 * Starts to serve on 127.0.0.1.
 * @throws {UserError} when the port is taken
 */
export function serveDashboard(options: DashboardOptions): Deno.HttpServer<Deno.NetAddr> {
  try {
    return Deno.serve(
      {
        hostname: "127.0.0.1",
        port: options.port,
        signal: options.signal,
        onListen: () => {},
      },
      (request) => answer(request, options),
    );
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    throw new UserError(
      `Cannot serve on port ${options.port}: it is in use; choose another with --port`,
    );
  }
}

/** Answers a request; for tests without a port. */
export async function answer(request: Request, options: DashboardOptions): Promise<Response> {
  if (!isForLoopback(request)) {
    return text(403, "This server answers only 127.0.0.1 and localhost");
  }
  const parts = pathParts(request);
  if (!parts) return text(400, "This is no path");
  try {
    if (request.method === "POST") return await act(request, parts, options);
    if (request.method !== "GET" && request.method !== "HEAD") {
      return text(405, "Only GET, HEAD and POST are answered");
    }
    const response = await read(request, parts, options);
    return request.method === "HEAD" ? new Response(null, response) : response;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return text(404, "It is no longer there");
    if (error instanceof UserError) return text(409, error.message);
    throw error;
  }
}

function pathParts(request: Request): string[] | undefined {
  try {
    return new URL(request.url).pathname.slice(1).split("/").map(decodeURIComponent);
  } catch {
    return undefined;
  }
}

async function read(
  request: Request,
  parts: string[],
  { index, page, intervalMs = 1000, signal }: DashboardOptions,
): Promise<Response> {
  const [first, second, name, what] = parts;
  if (first === "api" && second === "runs" && name === undefined) {
    return json({ folder: index.folder, runs: await index.list() });
  }
  if (first === "api" && second === "stream") {
    return stream(index, { intervalMs, signal });
  }
  if (first === "api" && second === "runs") {
    const run = await index.find(name);
    if (!run) return text(404, `There is no run ${name}`);
    const folder = `${index.folder}/${run.name}`;
    if (what === undefined) return json(await details(folder, run));
    if (what === "curves") {
      const wanted = Number(new URL(request.url).searchParams.get("points") ?? DEFAULT_POINTS);
      const points = Number.isInteger(wanted) && wanted >= 10 ? wanted : DEFAULT_POINTS;
      return json(await index.curves(run.name, Math.min(points, MAX_POINTS)));
    }
    return text(404, `There is no ${what} of a run`);
  }
  if (first === "files") return await runFile(index, parts[1], parts.slice(2).join("/"));
  const file = page.get(parts.join("/") || "index.html");
  if (!file) return text(404, `There is no ${parts.join("/")} here`);
  return new Response(file.body, {
    headers: { ...HEADERS, "content-type": file.type, "content-length": `${file.body.length}` },
  });
}

async function act(
  request: Request,
  [first, second, name, what]: string[],
  { index, exportRun, nearestImages }: DashboardOptions,
): Promise<Response> {
  if (request.headers.get(OWN_HEADER) === null) {
    return text(403, "This was not sent by the dashboard's own page");
  }
  const run = first === "api" && second === "runs" ? await index.find(name ?? "") : undefined;
  if (!run) return text(404, `There is no run ${name}`);
  const folder = `${index.folder}/${run.name}`;
  if (what === "stop") {
    if (run.state !== "running") return text(409, `${run.name} is not running`);
    await requestStop(folder);
    return json({ stopping: run.name });
  }
  if (what === "export") {
    await exportRun(folder);
    return json({ exported: run.name });
  }
  if (what === "nearest") {
    const png = await nearestImages(folder, await readImage(request));
    return new Response(Uint8Array.from(png), {
      headers: { ...HEADERS, "content-type": TYPES.png },
    });
  }
  return text(404, `There is no ${what} of a run`);
}

/** Larger images are no samples of a generator. */
const MAX_SIDE = 4096;

/** The image of a request: its bytes, channels together, and its sizes as `?width=&height=&channels=`. */
async function readImage(request: Request): Promise<RasterImage> {
  const query = new URL(request.url).searchParams;
  const [width, height, channels] = ["width", "height", "channels"].map((name) =>
    Number(query.get(name))
  );
  const isSide = (side: number) => Number.isInteger(side) && side >= 1 && side <= MAX_SIDE;
  const wanted = width * height * channels;
  const isImage = isSide(width) && isSide(height) && [1, 3, 4].includes(channels) &&
    Number(request.headers.get("content-length")) === wanted;
  if (!isImage) {
    throw new UserError("Cannot read the image: its bytes are not width x height x channels");
  }
  const data = new Uint8Array(await request.arrayBuffer());
  if (data.length !== wanted) throw new UserError("Cannot read the image: it was cut off");
  return { width, height, channels: channels as 1 | 3 | 4, data };
}

/** What the page of a run shows besides its curves. */
async function details(folder: string, summary: RunSummary) {
  const [config, data, evaluations, events] = await Promise.all([
    readJson(`${folder}/config.json`),
    readJson(`${folder}/data.json`),
    readEvaluations(`${folder}/evaluations.jsonl`),
    readEvents(`${folder}/events.jsonl`),
  ]);
  const files: string[] = [];
  for await (const { name, isFile } of Deno.readDir(folder)) {
    if (isFile && SERVED.test(name)) files.push(name);
  }
  const samples: string[] = [];
  try {
    for await (const { name, isFile } of Deno.readDir(`${folder}/samples`)) {
      if (isFile && SERVED.test(`samples/${name}`)) samples.push(name);
    }
  } catch {
    // A run without samples yet.
  }
  return {
    summary,
    config,
    data,
    evaluations,
    events,
    files: files.sort(),
    samples: samples.sort((a, b) => a.localeCompare(b, "en", { numeric: true })),
  };
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await Deno.readTextFile(file));
  } catch {
    return null; // not there yet, or damaged, which the list says
  }
}

/** A file of a run, never one that a link leads to elsewhere. */
async function runFile(index: RunIndex, run: string, path: string): Promise<Response> {
  const refused = text(404, `There is no ${path} of ${run} here`);
  if (!SERVED.test(path) || !(await index.find(run ?? ""))) return refused;
  const root = await Deno.realPath(index.folder);
  const real = await Deno.realPath(`${index.folder}/${run}/${path}`).catch(() => "");
  if (!real.startsWith(`${root}/`)) return refused;
  const body = await Deno.readFile(real);
  const type = TYPES[path.slice(path.lastIndexOf(".") + 1)];
  return new Response(body, { headers: { ...HEADERS, "content-type": type } });
}

/** Runs that are new or changed, and names of those that are gone, about once a second. */
function stream(
  index: RunIndex,
  { intervalMs, signal }: { intervalMs: number; signal: AbortSignal | undefined },
): Response {
  const encoder = new TextEncoder();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let sent = new Map<string, RunSummary>();
  let end = () => {};
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      const send = async () => {
        const runs = await index.list();
        const changed = runs.filter((run) => sent.get(run.name) !== run);
        const names = new Set(runs.map(({ name }) => name));
        const gone = [...sent.keys()].filter((name) => !names.has(name));
        sent = new Map(runs.map((run) => [run.name, run]));
        // A comment keeps the connection alive, and shows when the page has gone.
        const message = changed.length || gone.length
          ? `data: ${JSON.stringify({ changed, gone })}\n\n`
          : ": nothing new\n\n";
        controller.enqueue(encoder.encode(message));
        timer = setTimeout(() => send().catch(() => {}), intervalMs);
      };
      send().catch((error) => controller.error(error));
      end = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", close);
      };
      const close = () => {
        end();
        controller.close();
      };
      signal?.addEventListener("abort", close);
    },
    cancel: () => end(),
  });
  return new Response(body, { headers: { ...HEADERS, "content-type": "text/event-stream" } });
}

function json(value: unknown): Response {
  return new Response(JSON.stringify(value), {
    headers: { ...HEADERS, "content-type": "application/json" },
  });
}

function text(status: number, message: string): Response {
  return new Response(message + "\n", {
    status,
    headers: { ...HEADERS, "content-type": "text/plain; charset=utf-8" },
  });
}
