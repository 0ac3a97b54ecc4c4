/** The start of ONNX Runtime: it ends, it can be tried again, and it lets a process exit. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { type LoadOptions, Sampler, UserError } from "../../src/sampler/mod.ts";
import { fixture, FIXTURES, golden, runScript } from "./helpers.ts";

const MOD = new URL("../../src/sampler/mod.ts", import.meta.url).href;
const WASM = new URL(import.meta.resolve("onnxruntime-web/ort-wasm-simd-threaded.wasm"));
const RGB = `${FIXTURES}rgb.onnx`;

/** A script that loads rgb.onnx with options, several times, and prints what came of each. */
function loads(...options: string[]): string {
  return `
    import { Sampler } from ${JSON.stringify(MOD)};
    const model = Deno.args[0] ?? ${JSON.stringify(RGB)};
    for (const make of [${options.map((each) => `async () => (${each})`).join(", ")}]) {
      try {
        const sampler = await Sampler.load(model, { device: "wasm", ...await make() });
        const [image] = await sampler.sample({ seed: 7 });
        console.log("drawn", sampler.device.threads, image.values[0].toFixed(6));
      } catch (error) {
        console.log(error.message);
      }
    }`;
}

const drawn = (threads: number) => `drawn ${threads} ${golden.models.rgb.values[1][0].toFixed(6)}`;

Deno.test("Sampler.load() tries again after a failed start, and takes a folder, a file or bytes", async () => {
  const folder = new URL(".", WASM).href;
  const lines = (await runScript(
    loads(
      '{ wasm: "file:///nowhere" }',
      '{ wasm: "file:///nowhere/" }',
      `{ wasm: new TextEncoder().encode("<!doctype html>") }`,
      `{ wasm: new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 9]) }`,
      `{ wasm: ${JSON.stringify(folder)}, threads: 2 }`,
      '{ wasm: "file:///nowhere/" }', // it has started, and needs no file
    ),
    ["--allow-read"],
  )).split("\n");
  assertEquals(lines, [
    "Cannot find WebAssembly under file:///nowhere: a folder's URL must end in \"/\", a file's name in .wasm",
    "Cannot load /nowhere/ort-wasm-simd-threaded.wasm: there is no such file or run folder",
    "Cannot load the given bytes: it is not WebAssembly but a web page (HTML)",
    "Cannot start ONNX Runtime: the given wasm is damaged WebAssembly",
    drawn(2),
    drawn(2),
  ]);
  for (const wasm of [WASM.href, WASM.pathname]) {
    const text = await runScript(loads(`{ wasm: ${JSON.stringify(wasm)} }`), ["--allow-read"]);
    assertMatch(text, /^drawn \d+ /);
  }
});

Deno.test("A start that fails with threads lets the process exit", async () => {
  const file = await Deno.makeTempFile({ suffix: ".wasm" });
  try {
    await Deno.writeFile(file, (await Deno.readFile(WASM)).subarray(0, 1_000_000)); // cut off
    const script = loads(`{ wasm: ${JSON.stringify(file)}, threads: 2 }`);
    const started = performance.now();
    const text = await runScript(script, ["--allow-read"]);
    assertMatch(text, /^Cannot start ONNX Runtime: its WebAssembly cannot be loaded \(/);
    assert(performance.now() - started < 60_000);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("Sampler.load() fetches ONNX Runtime with progress, a cache, a signal and retries", async () => {
  const wasm = await Deno.readFile(WASM);
  const model = fixture("rgb");
  let wasmRequests = 0, mayAnswer = false;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/rgb.onnx") return new Response(model);
    wasmRequests++;
    if (pathname === "/page/ort-wasm-simd-threaded.wasm") return new Response("<!doctype html>");
    if (!mayAnswer) { // a part, and then silence
      return new Response(new ReadableStream({ start: (c) => c.enqueue(wasm.subarray(0, 1000)) }), {
        headers: { "content-length": `${wasm.length}` },
      });
    }
    return new Response(wasm);
  });
  const origin = `http://127.0.0.1:${server.addr.port}`;
  const cache = await Deno.makeTempDir();
  const script = `
    import { Sampler } from ${JSON.stringify(MOD)};
    const load = (wasm, options) => Sampler.load(${JSON.stringify(origin)} + "/rgb.onnx", {
      device: "wasm", threads: 1, cache: ${JSON.stringify(cache)},
      wasm: ${JSON.stringify(origin)} + wasm, ...options,
    });
    const text = (error) => error.message;
    console.log(await load("/page/").catch(text));
    const stopper = new AbortController();
    const seen = [];
    const onProgress = ({ stage, loadedBytes, totalBytes }) => {
      if (seen.at(-1)?.[0] === stage) seen.pop();
      seen.push([stage, loadedBytes, totalBytes]);
      if (stage === "runtime" && loadedBytes === 1000) stopper.abort(new Error("enough"));
    };
    if (Deno.args[0] === "slow") {
      const slow = load("/ort/", { signal: stopper.signal, onProgress }).catch(text);
      const impatient = AbortSignal.timeout(50);
      console.log(await load("/ort/", { signal: impatient }).catch((error) => error.name));
      console.log(await slow, JSON.stringify(seen));
    } else {
      const sampler = await load("/ort/", { onProgress });
      console.log(sampler.device.name, JSON.stringify(seen.map(([stage]) => stage)));
      console.log(JSON.stringify(seen[1]));
    }`;
  const flags = ["--allow-read", "--allow-write", "--allow-net=127.0.0.1"];
  const page =
    `Cannot load ${origin}/page/ort-wasm-simd-threaded.wasm: it is not WebAssembly but a ` +
    "web page (HTML)";
  try {
    assertEquals((await runScript(script, flags, ["slow"])).split("\n"), [
      page,
      "TimeoutError",
      `enough ${
        JSON.stringify([["model", model.length, model.length], ["runtime", 1000, wasm.length]])
      }`,
    ]);
    mayAnswer = true;
    for (const requests of [2, 1]) { // the second time it lies in the cache
      wasmRequests = 0;
      assertEquals((await runScript(script, flags)).split("\n"), [
        page,
        'wasm ["model","runtime","start","ready"]',
        JSON.stringify(["runtime", wasm.length, wasm.length]),
      ]);
      assertEquals(wasmRequests, requests);
    }
  } finally {
    await server.shutdown();
    await Deno.remove(cache, { recursive: true });
  }
});

for (const entry of ["mod.ts", "static.ts"]) {
  Deno.test(`src/sampler/${entry} works in Deno without a file system`, async () => {
    const wasm = await Deno.readFile(WASM);
    const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
      const isModel = request.url.endsWith(".onnx");
      return new Response(isModel ? fixture("rgb") : wasm);
    });
    try {
      const origin = `http://127.0.0.1:${server.addr.port}`;
      const script = loads(
        "{}",
        `{ wasm: await fetch(${JSON.stringify(origin)} + "/ort.wasm") }`,
      ).replace("mod.ts", entry);
      const text = await runScript(script, ["--allow-net=127.0.0.1"], [`${origin}/rgb.onnx`]);
      const [first, second] = text.split("\n");
      assertMatch(
        first,
        /^Cannot start ONNX Runtime: .*give its address or its bytes as the option/,
      );
      assertEquals(second, drawn(1));
    } finally {
      await server.shutdown();
    }
  });
}

Deno.test("src/sampler/static.ts has no dynamic import", async () => {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", new URL("../../src/sampler/static.ts", import.meta.url).pathname],
  }).output();
  interface Module {
    specifier: string;
    dependencies?: { specifier: string; isDynamic?: boolean }[];
  }
  const { modules }: { modules: Module[] } = JSON.parse(new TextDecoder().decode(stdout));
  const own = modules.filter(({ specifier }) => specifier.includes("/src/"));
  assert(own.length > 10);
  const dynamic = own.flatMap(({ specifier, dependencies = [] }) =>
    dependencies.filter(({ isDynamic }) => isDynamic).map((each) =>
      `${specifier}: ${each.specifier}`
    )
  );
  assertEquals(dynamic, []);
});

Deno.test("Sampler.load() stops waiting for others when its signal says so", async () => {
  const reason = new Error("no longer wanted");
  const options: LoadOptions = { device: "wasm" };
  const first = Sampler.load(RGB, options);
  const controller = new AbortController();
  const second = Sampler.load(RGB, {
    ...options,
    signal: controller.signal,
    onProgress: ({ stage }) => stage === "start" && controller.abort(reason),
  });
  const error = await assertRejects(() => second);
  assert(error === reason);
  await (await first).dispose();
  await assertRejects(
    () => Sampler.load(RGB, { ...options, wasm: 7 as unknown as string, device: "cpu" as "wasm" }),
    UserError,
    'Cannot run on device "cpu"',
  );
});
