import { assert, assertEquals, assertMatch } from "@std/assert";
import { type Limits, makeHandler } from "../../examples/deno_server.ts";
import type { Sampler } from "../../src/sampler/mod.ts";
import { FIXTURES, load } from "./helpers.ts";

async function withEndpoint(
  model: string,
  limits: Partial<Limits>,
  use: (origin: string, sampler: Sampler) => Promise<void>,
  onRequest: (url: string) => void = () => {},
): Promise<void> {
  await using sampler = await load(model);
  const handler = makeHandler(sampler, limits);
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => {
      const answer = handler(request);
      onRequest(request.url);
      return answer;
    },
  );
  try {
    await use(`http://127.0.0.1:${server.addr.port}`, sampler);
  } finally {
    await server.shutdown();
  }
}

async function get(url: string): Promise<{ status: number; bytes: Uint8Array; body: Response }> {
  const body = await fetch(url);
  return { status: body.status, bytes: new Uint8Array(await body.arrayBuffer()), body };
}

Deno.test("examples/deno_server answers with the sampler's own picture", async () => {
  await withEndpoint("conditional", {}, async (origin, sampler) => {
    const { status, bytes, body } = await get(
      `${origin}/sample?seed=7&truncation=0.7&label=star`,
    );
    const [own] = await sampler.sample({ seed: 7, truncation: 0.7, label: 2 });
    assertEquals([status, body.headers.get("content-type")], [200, "image/png"]);
    assertEquals(bytes, await own.toPng({ Software: "ganforge", Seed: "7" }));
    assertEquals((await get(`${origin}/sample?seed=7&truncation=0.7&label=2`)).bytes, bytes);
  });
});

Deno.test("examples/deno_server refuses what it does not understand", async () => {
  await withEndpoint("conditional", { maxCount: 10 }, async (origin) => {
    const refusals: [string, number, string][] = [
      ["/", 404, "Try /sample?seed=7"],
      ["/sample?seed=-1", 400, "Cannot use seed -1"],
      ["/sample?seed=abc", 400, 'seed takes a number, and it is "abc"'],
      ["/sample?seed=", 400, 'seed takes a number, and it is ""'],
      ["/sample?count=11", 400, "count takes an integer from 1 to 10, and it is 11"],
      ["/sample?count=0", 400, "count takes an integer from 1 to 10, and it is 0"],
      ["/sample?truncation=-3", 400, "Cannot truncate by -3"],
      ["/sample?label=cube", 400, 'label takes a number, and it is "cube"'],
      ["/sample?label=7", 400, "Cannot use label 7"],
      ["/sample?size=3", 400, "There is no parameter size"],
    ];
    for (const [path, status, message] of refusals) {
      const answer = await get(origin + path);
      assertEquals(answer.status, status, path);
      assertMatch(new TextDecoder().decode(answer.bytes), new RegExp(`^${RegExp.escape(message)}`));
    }
    const posted = await fetch(`${origin}/sample`, { method: "POST" });
    assertEquals([posted.status, await posted.text()], [405, "Only GET is answered\n"]);
  });
});

Deno.test("examples/deno_server streams one part a sample", async () => {
  await withEndpoint("rgb", {}, async (origin, sampler) => {
    const { bytes, body } = await get(`${origin}/sample?seed=3&count=5`);
    assertEquals(body.headers.get("content-type"), "multipart/mixed; boundary=sample");
    const text = String.fromCharCode(...bytes);
    assertEquals(text.match(/x-seed: \d+/g), [3, 4, 5, 6, 7].map((seed) => `x-seed: ${seed}`));
    assert(text.endsWith("--sample--\r\n"));
    const [, length] = text.match(/content-length: (\d+)\r\n\r\n/)!;
    const at = text.indexOf("\r\n\r\n") + 4;
    const [own] = await sampler.sample({ seed: 3 });
    assertEquals(
      bytes.subarray(at, at + Number(length)),
      await own.toPng({ Software: "ganforge", Seed: "3" }),
    );
  });
});

Deno.test("examples/deno_server answers many at once, each with its own picture", async () => {
  await withEndpoint("rgb", { maxRunning: 2, maxWaiting: 1000 }, async (origin) => {
    const seeds = Array.from({ length: 200 }, (_, i) => i % 20);
    const pictures = new Map<number, string>();
    const clients = Array.from({ length: 16 }, async () => {
      for (let seed = seeds.pop(); seed !== undefined; seed = seeds.pop()) {
        const { status, bytes } = await get(`${origin}/sample?seed=${seed}`);
        assertEquals(status, 200);
        const picture = bytes.join();
        assertEquals(pictures.get(seed) ?? picture, picture);
        pictures.set(seed, picture);
      }
    });
    await Promise.all(clients);
    assertEquals(new Set(pictures.values()).size, 20);
  });
});

Deno.test("examples/deno_server turns away a crowd, and recovers from clients that go", async () => {
  const limits = { maxRunning: 1, maxWaiting: 1, maxCount: 1_000_000 };
  let onWaiting = () => {};
  const onRequest = (url: string) => url.endsWith("seed=1") && onWaiting();
  await withEndpoint("rgb", limits, async (origin) => {
    for (let round = 0; round < 3; round++) { // a place that is lost would end the second round
      const controller = new AbortController();
      const { signal } = controller;
      const endless = await fetch(`${origin}/sample?count=1000000`, { signal });
      const queued = new Promise<void>((resolve) => onWaiting = resolve);
      const waiting = fetch(`${origin}/sample?seed=1`);
      await queued;
      const refused = await get(`${origin}/sample?seed=2`);
      assertEquals([refused.status, refused.body.headers.get("retry-after")], [503, "1"]);
      controller.abort();
      await endless.body?.cancel().catch(() => {});
      const answered = await waiting;
      assertEquals(answered.status, 200);
      await answered.body?.cancel();
    }
  }, onRequest);
});

Deno.test("examples/deno_server says in a line why it does not start, with exit code 2", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const script = new URL("../../examples/deno_server.ts", import.meta.url).pathname;
  const cases: [args: string[], message: string][] = [
    [["missing.onnx"], "Cannot load missing.onnx: there is no such file or run folder\n"],
    [
      [`${FIXTURES}rgb.onnx`, "http"],
      "Cannot serve on port http: it takes a number from 0 to 65535\n",
    ],
    [
      [`${FIXTURES}rgb.onnx`, `${listener.addr.port}`],
      `Cannot serve on port ${listener.addr.port}: it is taken\n`,
    ],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", "--allow-read", "--allow-net=127.0.0.1", script, ...args],
      env: { NO_COLOR: "1" },
    }).output();
    assertEquals([code, new TextDecoder().decode(stderr)], [2, message]);
  }
  listener.close();
});
