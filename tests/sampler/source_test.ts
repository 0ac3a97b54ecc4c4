import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { DownloadError, Sampler, UserError } from "../../src/sampler/mod.ts";
import { fixture, FIXTURES, golden } from "./helpers.ts";
import { assertNear } from "./helpers.ts";

const wasm = { device: "wasm" } as const;
const model = fixture("rgb");
const expected = golden.models.rgb.values[1]; // seed 7

async function assertDraws(sampler: Sampler): Promise<void> {
  const [image] = await sampler.sample({ seed: 7 });
  assertNear(image.values, expected, 1e-5);
  await sampler.dispose();
}

/** Serves on the loopback while `use` runs; counts requests. */
async function withServer(
  answer: (request: Request) => Response | Promise<Response>,
  use: (origin: string, count: () => number) => Promise<void>,
): Promise<void> {
  let requests = 0;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    requests++;
    return answer(request);
  });
  try {
    await use(`http://127.0.0.1:${server.addr.port}`, () => requests);
  } finally {
    await server.shutdown();
  }
}

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("Sampler.load() takes bytes, a buffer, a Blob, a Response and a file: URL", async () => {
  const shifted = new Uint8Array(model.length + 3);
  shifted.set(model, 3);
  const shared = new Uint8Array(new SharedArrayBuffer(model.length));
  shared.set(model);
  const sources = [
    model,
    shifted.subarray(3),
    shared,
    model.buffer,
    new Blob([model]),
    new File([model], "mine.onnx"),
    new Response(model),
    new URL(`file://${FIXTURES}rgb.onnx`),
    `file://${FIXTURES}rgb.onnx`,
    `data:application/octet-stream;base64,${btoa(String.fromCharCode(...model))}`,
  ];
  const names: string[] = [];
  for (const source of sources) {
    const sampler = await Sampler.load(source, wasm);
    names.push(sampler.info.name);
    await assertDraws(sampler);
  }
  assertEquals(names, [
    ...Array(4).fill("the given bytes"),
    "the blob",
    "mine.onnx",
    "the response",
    `${FIXTURES}rgb.onnx`,
    `${FIXTURES}rgb.onnx`,
    "the data: URL",
  ]);
});

Deno.test("Sampler.load() takes a path and a run folder", async () => {
  await withFolder(async (folder) => {
    await assertRejects(
      () => Sampler.load(folder, wasm),
      UserError,
      `Cannot load ${folder}/generator.onnx: the run folder has no exported generator; export it`,
    );
    await Deno.writeFile(`${folder}/generator.onnx`, model);
    await assertDraws(await Sampler.load(folder, wasm));
    await assertDraws(await Sampler.load(`${folder}/generator.onnx`, wasm));
    await assertRejects(
      () => Sampler.load(`${folder}/other.onnx`, wasm),
      UserError,
      `Cannot load ${folder}/other.onnx: there is no such file or run folder`,
    );
    await Deno.writeFile(`${folder}/cut.onnx`, model.subarray(0, 3000));
    await assertRejects(
      () => Sampler.load(`${folder}/cut.onnx`, wasm),
      UserError,
      `Cannot load ${folder}/cut.onnx: it is cut off`,
    );
    await assertRejects(
      () => Sampler.load(`${folder}/generator.onnx`, { ...wasm, maxBytes: 100 }),
      UserError,
      `it has ${model.length} bytes, and at most 100 are allowed (maxBytes)`,
    );
  });
});

Deno.test("Sampler.load() refuses what is no source", async () => {
  for (const source of [null, undefined, 7, {}]) {
    await assertRejects(
      () => Sampler.load(source as unknown as string, wasm),
      UserError,
      "Cannot load a generator: the source must be a path, URL, Response, Blob, Uint8Array or " +
        `ArrayBuffer, and it is ${source === null ? "null" : typeof source}`,
    );
  }
});

Deno.test("Sampler.load() fetches a URL, or the generator.onnx of one that ends in a slash", async () => {
  const paths: string[] = [];
  await withServer((request) => {
    paths.push(new URL(request.url).pathname);
    return new Response(model);
  }, async (origin) => {
    await assertDraws(await Sampler.load(`${origin}/g.onnx`, wasm));
    const sampler = await Sampler.load(new URL(`${origin}/runs/1/?v=2`), wasm);
    assertEquals(sampler.info.name, `${origin}/runs/1/generator.onnx?v=2`);
    await assertDraws(sampler);
    assertEquals(paths, ["/g.onnx", "/runs/1/generator.onnx"]);
  });
});

Deno.test("Sampler.load() says what a server gave instead of a model", async () => {
  const page = "<!doctype html><title>Sign in</title>";
  const answers: Record<string, () => Response> = {
    "/missing": () => new Response("no", { status: 404, statusText: "Not Found" }),
    "/page": () => new Response(page, { headers: { "content-type": "text/html" } }),
    "/empty": () => new Response(null),
    "/busy": () => new Response("no", { status: 503, statusText: "Service Unavailable" }),
  };
  await withServer((request) => answers[new URL(request.url).pathname](), async (origin) => {
    const refuse = (path: string, message: string) =>
      assertRejects(
        () => Sampler.load(origin + path, wasm),
        UserError,
        `Cannot load ${origin + path}: ${message}`,
      );
    await refuse("/missing", "the server answered 404 Not Found");
    await refuse(
      "/page",
      `it is a web page (HTML, ${page.length} bytes), not an ONNX model; check`,
    );
    await refuse("/empty", "it is empty (0 bytes)");
    await assertRejects(
      () => Sampler.load(`${origin}/busy`, wasm),
      DownloadError,
      "the server answered 503 Service Unavailable",
    );
  });
  await assertRejects(
    () => Sampler.load("http://127.0.0.1:1/g.onnx", wasm),
    DownloadError,
    "Cannot load http://127.0.0.1:1/g.onnx: it could not be fetched (",
  );
});

Deno.test("Sampler.load() says when a download ends early", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    const connection = await listener.accept();
    await connection.read(new Uint8Array(4096));
    const head = `HTTP/1.1 200 OK\r\ncontent-length: ${model.length}\r\n\r\n`;
    await connection.write(new TextEncoder().encode(head));
    await connection.write(model.subarray(0, 1000));
    connection.close();
  })();
  try {
    const url = `http://127.0.0.1:${listener.addr.port}/g.onnx`;
    const error = await assertRejects(() => Sampler.load(url, wasm), DownloadError);
    assertMatch(
      (error as Error).message,
      new RegExp(`Cannot load ${url}: the download ended after \\d+ of ${model.length} bytes`),
    );
    await serving;
  } finally {
    listener.close();
  }
});

Deno.test("Sampler.load() notices a body that is shorter than the server announced", async () => {
  const fetch = () =>
    Promise.resolve(
      new Response(model.subarray(0, 1000), { headers: { "content-length": `${model.length}` } }),
    );
  await assertRejects(
    () => Sampler.load("https://models.test/g.onnx", { ...wasm, fetch }),
    DownloadError,
    `the download ended after 1000 of ${model.length} bytes; try again`,
  );
});

Deno.test("Sampler.load() stops a download above maxBytes, announced or not", async () => {
  let canceled = 0;
  const endless = () =>
    new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(1000)),
      cancel: () => void canceled++,
    });
  const load = (headers: HeadersInit) =>
    Sampler.load("https://models.test/g.onnx", {
      ...wasm,
      maxBytes: 2500,
      fetch: () => Promise.resolve(new Response(endless(), { headers })),
    });
  await assertRejects(
    () => load({ "content-length": "9999" }),
    UserError,
    "it has 9999 bytes, and",
  );
  await assertRejects(() => load({}), UserError, "it has more than 3000 bytes, and at most 2500");
  assertEquals(canceled, 2);
});

Deno.test("Sampler.load() accepts a packed body, whose length header counts packed bytes", async () => {
  const headers = { "content-length": "12", "content-encoding": "br" };
  const fetch = () => Promise.resolve(new Response(model, { headers }));
  await assertDraws(await Sampler.load("https://models.test/g.onnx", { ...wasm, fetch }));
});

Deno.test("Sampler.load() reports progress in order, up to the end", async () => {
  const firstHalf = Promise.withResolvers<void>();
  await withServer(() => {
    const halves = new ReadableStream({
      async start(controller) {
        controller.enqueue(model.subarray(0, 2000));
        await firstHalf.promise; // both at once might be read as one
        controller.enqueue(model.subarray(2000));
        controller.close();
      },
    });
    return new Response(halves, { headers: { "content-length": `${model.length}` } });
  }, async (origin) => {
    const seen: string[] = [];
    await using _sampler = await Sampler.load(`${origin}/g.onnx`, {
      ...wasm,
      selfTest: true,
      onProgress: ({ stage, loadedBytes, totalBytes }) => {
        if (stage !== "runtime") seen.push(`${stage} ${loadedBytes}/${totalBytes}`); // start_test.ts
        if (loadedBytes === 2000) firstHalf.resolve();
      },
    });
    const end = `${model.length}/${model.length}`;
    assertEquals(seen, [
      `model 0/${model.length}`,
      `model 2000/${model.length}`,
      `model ${end}`,
      `start ${end}`,
      `self-test ${end}`,
      `ready ${end}`,
    ]);
  });
});

Deno.test("Sampler.load() stops when its signal says so, before and while it downloads", async () => {
  const reason = new Error("no longer wanted");
  const before = await assertRejects(
    () => Sampler.load(model, { ...wasm, signal: AbortSignal.abort(reason) }),
  );
  assert(before === reason);
  await withServer(
    () => new Response(new ReadableStream({ start: (c) => c.enqueue(model) })), // never ends
    async (origin) => {
      const controller = new AbortController();
      const during = await assertRejects(() =>
        Sampler.load(`${origin}/g.onnx`, {
          ...wasm,
          signal: controller.signal,
          onProgress: ({ loadedBytes }) => loadedBytes > 0 && controller.abort(reason),
        })
      );
      assert(during === reason);
    },
  );
  const controller = new AbortController();
  const late = await assertRejects(() =>
    Sampler.load(model, {
      ...wasm,
      signal: controller.signal,
      onProgress: ({ stage }) => stage === "start" && controller.abort(reason),
    })
  );
  assert(late === reason);
});

Deno.test("Sampler.load() checks the SHA-256 that is asked for", async () => {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", model));
  const sha256 = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  await assertDraws(await Sampler.load(model, { ...wasm, sha256: sha256.toUpperCase() }));
  const other = "0".repeat(64);
  await assertRejects(
    () => Sampler.load(model, { ...wasm, sha256: other }),
    UserError,
    `Cannot load the given bytes: its SHA-256 is ${sha256}, and ${other} is asked for (sha256)`,
  );
});

Deno.test("Sampler.load() keeps a download in the cache's folder and replaces a damaged copy", async () => {
  await withFolder(async (folder) => {
    let answer: BodyInit = model;
    await withServer(() => new Response(answer), async (origin, requests) => {
      const cache = `${folder}/models`;
      const load = async (options = {}) => {
        const sampler = await Sampler.load(`${origin}/g.onnx`, { ...wasm, cache, ...options });
        await assertDraws(sampler);
        return sampler.info.cache;
      };
      answer = "<html>";
      await assertRejects(() => load(), UserError, "it is a web page");
      answer = model;
      assertEquals([await load(), requests()], ["stored", 2]); // the page was not kept
      const kept = [...Deno.readDirSync(cache)].map((entry) => entry.name);
      assertMatch(kept.join(), /^[0-9a-f]{32}\.onnx$/);
      assertEquals([await load(), requests()], ["hit", 2]);
      await Deno.writeFile(`${cache}/${kept[0]}`, model.subarray(0, 900));
      assertEquals([await load(), requests()], ["stored", 3]);
      assertEquals([await load(), requests()], ["hit", 3]);
      await assertRejects(() => load({ sha256: "0".repeat(64) }), UserError, "its SHA-256 is");
      assertEquals(requests(), 4); // asked again, as the kept copy was another
      await Deno.writeTextFile(`${folder}/file`, "");
      const blocked = await load({ cache: `${folder}/file` });
      assertMatch(blocked, /^failed: /);
    });
  });
});
