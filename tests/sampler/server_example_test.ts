import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { makeHandler, type ServerOptions } from "../../examples/deno_server.ts";
import { type Sampler, UserError } from "../../src/sampler/mod.ts";
import { FIXTURES, load } from "./helpers.ts";

const LOCAL = { host: "localhost" };

async function withEndpoint(
  model: string,
  limits: Partial<ServerOptions>,
  use: (origin: string, sampler: Sampler) => Promise<void>,
): Promise<void> {
  await using sampler = await load(model);
  const handler = makeHandler(sampler, limits);
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    handler,
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

Deno.test("examples/deno_server answers with the sampler's own image", async () => {
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
    assertEquals([posted.status, await posted.text()], [405, "Only GET and HEAD are answered\n"]);
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

Deno.test("examples/deno_server answers many at once, each with its own image", async () => {
  await withEndpoint("rgb", { maxRunning: 2, maxWaiting: 1000 }, async (origin) => {
    const seeds = Array.from({ length: 200 }, (_, i) => i % 20);
    const images = new Map<number, string>();
    const clients = Array.from({ length: 16 }, async () => {
      for (let seed = seeds.pop(); seed !== undefined; seed = seeds.pop()) {
        const { status, bytes } = await get(`${origin}/sample?seed=${seed}`);
        assertEquals(status, 200);
        const image = bytes.join();
        assertEquals(images.get(seed) ?? image, image);
        images.set(seed, image);
      }
    });
    await Promise.all(clients);
    assertEquals(new Set(images.values()).size, 20);
  });
});

Deno.test("examples/deno_server turns away a crowd, and recovers from clients that go", async () => {
  const limits = { maxStreams: 1, maxCount: 1_000_000 };
  await withEndpoint("rgb", limits, async (origin) => {
    for (let round = 0; round < 3; round++) { // a place that is lost would end the second round
      const controller = new AbortController();
      const { signal } = controller;
      const endless = await fetch(`${origin}/sample?count=1000000`, { signal });
      const refused = await get(`${origin}/sample?count=2`);
      assertEquals([refused.status, refused.body.headers.get("retry-after")], [503, "1"]);
      controller.abort();
      await endless.body?.cancel().catch(() => {});
      let answered = await get(`${origin}/sample?count=2`);
      while (answered.status === 503) answered = await get(`${origin}/sample?count=2`);
      assertEquals(answered.status, 200);
    }
  });
});

Deno.test("examples/deno_server turns away those who would wait too long to draw", async () => {
  await using sampler = await load("rgb");
  const started = Promise.withResolvers<void>();
  const finish = Promise.withResolvers<void>();
  const slow = Object.assign(Object.create(sampler), {
    info: sampler.info,
    async sample() {
      started.resolve();
      await finish.promise;
      return await sampler.sample();
    },
  });
  const handler = makeHandler(slow, { maxRunning: 1, maxWaiting: 1 });
  const ask = () => handler(new Request("http://localhost/sample", { headers: LOCAL }));
  const running = ask();
  await started.promise;
  const waiting = ask();
  assertEquals((await ask()).status, 503);
  finish.resolve();
  assertEquals([(await running).status, (await waiting).status], [200, 200]);
});

Deno.test("examples/deno_server answers others in their usual time while readers stall", async () => {
  const maxCount = 1_000_000;
  await withEndpoint("rgb", { maxRunning: 1, maxCount, stallMs: 60_000 }, async (origin) => {
    const { port } = new URL(origin);
    const median = async () => {
      const times: number[] = [];
      for (let i = 0; i < 15; i++) {
        const started = performance.now();
        const { status } = await get(`${origin}/sample?seed=${i}`);
        assertEquals(status, 200);
        times.push(performance.now() - started);
      }
      return times.sort((a, b) => a - b)[7];
    };
    const usualMs = await median();
    const stalled = await Promise.all([1, 2].map(async () => {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
      const ask = `GET /sample?count=${maxCount} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`;
      await connection.write(new TextEncoder().encode(ask));
      assert((await connection.read(new Uint8Array(64)))! > 0); // it was answered; now nobody reads
      return connection;
    }));
    await new Promise((resolve) => setTimeout(resolve, 500)); // the system's buffers fill up
    const stalledMs = await median();
    assert(
      stalledMs < 5 * usualMs + 50,
      `${usualMs} ms alone, ${stalledMs} ms beside stalled ones`,
    );
    for (const connection of stalled) connection.close();
  });
});

Deno.test("examples/deno_server closes a stream that nobody reads", async () => {
  await using sampler = await load("rgb");
  const handler = makeHandler(sampler, { maxStreams: 1, stallMs: 30 });
  const ask = () => handler(new Request("http://localhost/sample?count=9", { headers: LOCAL }));
  const { body } = await ask();
  assertEquals((await ask()).status, 503);
  await new Promise((resolve) => setTimeout(resolve, 200));
  const next = await ask();
  assertEquals(next.status, 200); // the first one's place is free again
  await next.body!.cancel();
  await assertRejects(() => new Response(body).arrayBuffer(), Error, "stopped reading");
});

Deno.test("examples/deno_server answers HEAD without a body, and only its own hosts", async () => {
  await withEndpoint("rgb", {}, async (origin) => {
    const head = await fetch(`${origin}/sample?seed=7`, { method: "HEAD" });
    assertEquals([head.status, head.headers.get("content-type")], [200, "image/png"]);
    assertEquals(await head.text(), "");
    const wrong = await fetch(`${origin}/sample?seed=-1`, { method: "HEAD" });
    assertEquals(wrong.status, 400);
    await wrong.body?.cancel();
  });
  await using sampler = await load("rgb");
  const statusOf = async (host: string, hosts?: string[]) => {
    const handler = makeHandler(sampler, hosts && { hosts });
    const answer = await handler(new Request("http://x/sample", { headers: { host } }));
    await answer.body?.cancel();
    return answer.status;
  };
  assertEquals(await statusOf("127.0.0.1:8018"), 200);
  assertEquals(await statusOf("LOCALHOST"), 200);
  assertEquals(await statusOf("evil.example:8018"), 403); // a name that was pointed at 127.0.0.1
  assertEquals(await statusOf("evil.example", ["evil.example"]), 200);
});

Deno.test("examples/deno_server says when a generator gives what is no number, or no image", async () => {
  await using sampler = await load("rgb");
  const broken = Object.assign(Object.create(sampler), {
    info: sampler.info,
    async sample() {
      const samples = await sampler.sample();
      samples[0].values.fill(NaN);
      return samples;
    },
  });
  const answer = await makeHandler(broken)(new Request("http://x/sample", { headers: LOCAL }));
  assertEquals(answer.status, 500);
  assertMatch(await answer.text(), /^The generator gives values that are not finite for seed 0/);
  await using points = await load("points");
  assertThrows(() => makeHandler(points), UserError, "it makes points, and this serves images");
});

Deno.test("examples/deno_server serves a model without a manifest, and says so", async () => {
  const script = new URL("../../examples/deno_server.ts", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-check",
      "--allow-read",
      "--allow-net=127.0.0.1",
      script,
      `${FIXTURES}plain.onnx`,
      "0",
    ],
    env: { NO_COLOR: "1" },
    stdout: "null",
    stderr: "piped",
  }).spawn();
  try {
    let said = "";
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      said += text;
      const [, port] = /http:\/\/127\.0\.0\.1:(\d+)\//.exec(said) ?? [];
      if (port === undefined) continue;
      assertEquals((await get(`http://127.0.0.1:${port}/sample?seed=1`)).status, 200);
      child.kill();
    }
    assertMatch(
      said,
      /plain\.onnx has no ganforge manifest: no self-test, and its range is assumed/,
    );
  } finally {
    try {
      child.kill();
    } catch {
      // it has ended
    }
    await child.status;
  }
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
