/**
 * Every app of examples/apps is built, run and looked at: it shows the pixels that Deno draws. They are
 * installed as a person installs them, from the package that `deno pack` makes.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { APPS, nodeProgram, prepareApps, RUNTIMES } from "../../tasks/test/apps.ts";
import { sha256Hex } from "../../src/bytes.ts";
import { Sampler } from "../../src/sampler/mod.ts";
import { decodePng } from "../png.ts";
import { BROWSERS, testName } from "./browsers/browsers.ts";
import type { Visit } from "./browsers/visits.ts";
import { ISOLATION, serveFolder, STRICT_POLICY } from "./serve.ts";

const [chromium] = BROWSERS;
const missing = chromium.missing ?? await prepareApps(false);

/** Vite and SvelteKit need a newer Node than the sampler; npm's scripts take the first in the path. */
const NODE = await nodeProgram() ?? "node";
const PATH = [
  ...NODE === "node" ? [] : [NODE.slice(0, NODE.lastIndexOf("/"))],
  Deno.env.get("PATH"),
].join(":");

/** Apps that are built, the slowest first. */
const BUILT = ["next", "webpack", "sveltekit", "vite", "esbuild", "service-worker", "extension"];

Deno.test({
  name: testName("every app of examples/apps builds, runs and shows Deno's pixels", missing),
  ignore: missing !== null,
  async fn(t) {
    const expected = await drawHere();
    const builds = await buildAll(BUILT);
    for (const { name, success, output } of builds) {
      await t.step(`${name} builds`, () => assert(success, output));
    }
    for (const { name, threads, seen, messages } of await visitPages()) {
      await t.step(`${name} draws in Chromium`, async () => {
        assert(seen !== null, `it draws nothing; ${messages.join("; ")}`);
        const { pixels, status } = seen as { pixels: number[]; status: string };
        assertEquals(await digestOf(pixels), expected, `${status}; ${messages.join("; ")}`);
        if (threads && navigator.hardwareConcurrency > 1) {
          assertMatch(`${status}`, /^Drawn on [2-9]\d* threads$/);
        }
        assertEquals(messages, []);
      });
    }
    const programs: [name: string, folder: string, program: string, args: string[]][] = [
      ["Node, ES modules", "node", NODE, ["main.mjs"]],
      ["Node, CommonJS", "node", NODE, ["main.cjs"]],
      ["Bun", "bun", `${RUNTIMES}/node_modules/@oven/bun-linux-x64/bin/bun`, ["main.ts"]],
    ];
    for (const [name, folder, program, args] of programs) {
      await t.step(`${name} writes the image`, async () => {
        const { success, output } = await run(program, args, `${APPS}/${folder}`);
        assert(success, output);
        assertMatch(output, /^grid\.png: drawn on \d+ threads$/m);
        const png = await Deno.readFile(`${APPS}/${folder}/grid.png`);
        assertEquals(await digestOf(await rgbaOf(png)), expected);
        await Deno.remove(`${APPS}/${folder}/grid.png`);
      });
    }
    await t.step("Deno answers with the image and no file system", () => checkDeno(expected));
  },
});

/** The digest of the pixels that every example draws. */
async function drawHere(): Promise<string> {
  await using sampler = await Sampler.load(`${APPS}/generator.onnx`, { device: "wasm" });
  return await digestOf((await sampler.sample({ count: 16, seed: 7 })).grid().toRgba());
}

/** Of RGBA bytes. */
function digestOf(pixels: ArrayLike<number>): Promise<string> {
  return sha256Hex(Uint8Array.from(pixels));
}

/** Builds apps, two at a time: much of a build uses one core. */
async function buildAll(names: string[]) {
  const waiting = [...names];
  const built: { name: string; success: boolean; output: string }[] = [];
  const work = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      built.push({ name, ...await run("npm", ["run", "build"], `${APPS}/${name}`) });
    }
  };
  await Promise.all([work(), work()]);
  return built;
}

async function run(program: string, args: string[], cwd: string) {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args,
    cwd,
    env: { NEXT_TELEMETRY_DISABLED: "1", NO_COLOR: "1", PATH },
    signal: AbortSignal.timeout(300_000), // ends what hangs
  }).output();
  const decoder = new TextDecoder();
  return { success, output: decoder.decode(stdout) + decoder.decode(stderr) };
}

/** Visits every page in one Chromium. */
async function visitPages() {
  const strict = { ...ISOLATION, "content-security-policy": STRICT_POLICY };
  const servers = [
    serveFolder(`${APPS}/vite/dist`, strict),
    serveFolder(`${APPS}/webpack/dist`, strict),
    serveFolder(`${APPS}/esbuild/dist`, strict),
    serveFolder(`${APPS}/service-worker/dist`, strict),
    serveFolder(`${APPS}/sveltekit/build`, ISOLATION), // its pages have a script inside
  ];
  const [vite, webpack, esbuild, worker, svelte] = servers.map(({ addr: { port } }) =>
    `http://127.0.0.1:${port}/`
  );
  const next = await startNext();
  const extension = `${APPS}/extension/dist`;
  /** Whether threads are expected, and the visit. */
  const pages: Record<string, [threads: boolean, visit: Omit<Visit, "timeoutMs">]> = {
    "vite, page": [true, { url: vite, read: canvas("#page", "#page-status") }],
    "vite, module worker": [true, { url: vite, read: canvas("#worker", "#worker-status") }],
    sveltekit: [true, { url: svelte, read: canvas() }],
    webpack: [true, { url: webpack, read: canvas() }],
    esbuild: [true, { url: esbuild, read: canvas() }],
    "service worker": [false, { url: worker, read: image() }],
    "next, page": [true, { url: next.url, read: canvas() }],
    "next, route handler": [false, { url: next.url, read: image() }],
    "extension, MV3": [false, { extension, url: "popup.html", read: canvas() }],
  };
  try {
    const visits = Object.values(pages).map(([, visit]) => ({ ...visit, timeoutMs: 60_000 }));
    const results = await chromium.visit(visits);
    return Object.entries(pages).map(([name, [threads]], i) => ({ name, threads, ...results[i] }));
  } finally {
    await Promise.all(servers.map((server) => server.shutdown()));
    next.process.kill();
    await next.process.status;
  }
}

/** Reads a canvas once its status says that it is drawn, or that it failed. */
function canvas(selector = "canvas", status = "#status"): string {
  return `(() => {
    const status = document.querySelector("${status}")?.textContent ?? "Loads";
    if (status === "Loads") return null;
    const canvas = document.querySelector("${selector}");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return { pixels: Array.from(data), status };
  })()`;
}

/** Reads an image once it is there, or cannot be shown. */
function image(): string {
  return `(() => {
    const image = document.querySelector("img");
    if (!image?.complete) return null;
    const canvas = new OffscreenCanvas(image.naturalWidth || 1, image.naturalHeight || 1);
    const context = canvas.getContext("2d");
    if (image.naturalWidth > 0) context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    return { pixels: Array.from(data), status: image.src };
  })()`;
}

/** Starts Next's standalone server. */
async function startNext(): Promise<{ url: string; process: Deno.ChildProcess }> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const process = new Deno.Command(NODE, {
    args: [".next/standalone/next/server.js"],
    cwd: `${APPS}/next`,
    env: { PORT: `${port}`, HOSTNAME: "127.0.0.1", NEXT_TELEMETRY_DISABLED: "1" },
    stdout: "null",
    stderr: "null",
  }).spawn();
  const url = `http://127.0.0.1:${port}/`;
  for (let tries = 0; tries < 300; tries++) {
    try {
      await (await fetch(url)).body?.cancel();
      break;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100)); // it does not listen yet
    }
  }
  return { url, process };
}

async function checkDeno(expected: string): Promise<void> {
  const runtime = new URL(".", import.meta.resolve("onnxruntime-web/wasm")).pathname;
  const files = serveFolder(`${APPS}/`, {});
  const wasm = serveFolder(runtime, {});
  const process = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-check",
      "--no-prompt",
      "--allow-net=127.0.0.1",
      new URL("../../examples/deno_no_files.ts", import.meta.url).pathname,
      `http://127.0.0.1:${files.addr.port}/generator.onnx`,
      `http://127.0.0.1:${wasm.addr.port}/ort-wasm-simd-threaded.wasm`,
    ],
    env: { NO_COLOR: "1" },
    stdout: "null",
    stderr: "piped",
  }).spawn();
  try {
    let said = "";
    let port: string | undefined;
    const lines = process.stderr.pipeThrough(new TextDecoderStream()).getReader();
    while (port === undefined) {
      const { value, done } = await lines.read();
      assert(!done, said);
      said += value;
      port = /http:\/\/127\.0\.0\.1:(\d+)\//.exec(said)?.[1];
    }
    lines.releaseLock();
    const answer = await fetch(`http://127.0.0.1:${port}/`);
    const png = new Uint8Array(await answer.arrayBuffer());
    assertEquals(await digestOf(await rgbaOf(png)), expected);
  } finally {
    process.kill();
    await process.stderr.cancel().catch(() => {});
    await process.status;
    await files.shutdown();
    await wasm.shutdown();
  }
}

async function rgbaOf(png: Uint8Array): Promise<number[]> {
  const { channels, data } = await decodePng(png);
  if (channels === 4) return [...data];
  assertEquals(channels, 3);
  return Array.from(
    { length: data.length / 3 * 4 },
    (_, i) => i % 4 === 3 ? 255 : data[3 * Math.floor(i / 4) + i % 4],
  );
}
