import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { exportOnnx } from "../../src/export/mod.ts";
import { sha256Hex } from "../../src/bytes.ts";
import { sessionOptionsFor } from "../../src/ort/wasm_memory.ts";
import { Sampler, UserError } from "../../src/sampler/mod.ts";
import { generatorOf, trainedNetwork } from "../export/networks.ts";

/** A generator whose weights lie in `parts/weights 1.bin`, and what it draws as one file. */
async function makeFiles(folder: string, seed = 4) {
  const trained = trainedNetwork(
    generatorOf(20, [{ type: "dense", units: 64 }, { type: "activation", fn: "tanh" }, {
      type: "dense",
      units: 12,
    }]),
    seed,
  );
  const { bytes, externalData, sizeBytes } = await exportOnnx(trained, {
    externalDataAbove: 1000,
    externalDataName: "parts/weights 1.bin",
  });
  await Deno.mkdir(`${folder}/parts`, { recursive: true });
  await Deno.writeFile(`${folder}/generator.onnx`, bytes);
  const weights = new Blob(externalData!.parts as Uint8Array<ArrayBuffer>[]);
  await Deno.writeFile(`${folder}/parts/weights 1.bin`, weights.stream());
  await using whole = await Sampler.load((await exportOnnx(trained)).bytes, { device: "wasm" });
  const [{ values }] = await whole.sample({ seed: 9 });
  return { bytes, sizeBytes, values };
}

Deno.test("Sampler.load() finds weights beside the file, on disk and on a server", async () => {
  const folder = await Deno.makeTempDir();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const path = decodeURIComponent(new URL(request.url).pathname);
      const body = await Deno.readFile(`${folder}${path}`).catch(() => null);
      return body === null ? new Response("no", { status: 404 }) : new Response(body);
    },
  );
  try {
    const { bytes, sizeBytes, values } = await makeFiles(folder);
    const origin = `http://127.0.0.1:${server.addr.port}`;
    for (const source of [folder, `${folder}/generator.onnx`, `${origin}/generator.onnx`]) {
      const seen: (number | null)[] = [];
      await using sampler = await Sampler.load(source, {
        device: "wasm",
        selfTest: true,
        onProgress: ({ loadedBytes }) => seen.push(loadedBytes),
      });
      assertEquals((await sampler.sample({ seed: 9 }))[0].values, values);
      assertEquals([sampler.info.sizeBytes, seen.at(-1)], [sizeBytes, sizeBytes]);
      assertEquals(seen, seen.toSorted((a, b) => a! - b!));
    }
    const alone = await assertRejects(() => Sampler.load(bytes, { device: "wasm" }), UserError);
    assertMatch(
      alone.message,
      /its weights lie in another file, parts\/weights 1.bin; load the model by its path or URL/,
    );
    await Deno.remove(`${folder}/parts/weights 1.bin`);
    for (const source of [folder, `${origin}/generator.onnx`]) {
      const missing = await assertRejects(
        () => Sampler.load(source, { device: "wasm" }),
        UserError,
      );
      assertMatch(
        missing.message,
        /parts\/weights(%20| )1.bin: (there is no such|the server .* 404)/,
      );
    }
  } finally {
    await server.shutdown();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("Sampler.load() keeps weights for the model that they belong to, whole, and within maxBytes", async () => {
  const [folder, cache] = [await Deno.makeTempDir(), await Deno.makeTempDir()];
  let requests = 0;
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      requests++;
      const path = decodeURIComponent(new URL(request.url).pathname);
      return new Response(await Deno.readFile(`${folder}${path}`));
    },
  );
  const source = `http://127.0.0.1:${server.addr.port}/generator.onnx`;
  const draw = async (sha256?: string) => {
    await using sampler = await Sampler.load(source, { device: "wasm", cache, sha256 });
    return (await sampler.sample({ seed: 9 }))[0].values;
  };
  try {
    const old = await makeFiles(folder, 4);
    assertEquals([await draw(), await draw()], [old.values, old.values]);
    assertEquals(requests, 2);
    const { bytes, values, sizeBytes } = await makeFiles(folder, 5);
    assertEquals(await draw(await sha256Hex(bytes)), values);
    assertEquals(requests, 4);
    const small = await assertRejects(
      () => Sampler.load(source, { device: "wasm", maxBytes: sizeBytes - 1 }),
      UserError,
    );
    assertMatch(small.message, /weights%201.bin: it has \d+ bytes, and at most \d+ are allowed/);
    const file = `${folder}/parts/weights 1.bin`;
    await Deno.writeFile(file, (await Deno.readFile(file)).subarray(0, 100));
    const cut = await assertRejects(() => Sampler.load(folder, { device: "wasm" }), UserError);
    assertMatch(cut.message, /weights 1.bin: it has 100 bytes, and .*onnx needs \d+ of it$/);
  } finally {
    await server.shutdown();
    await Deno.remove(folder, { recursive: true });
    await Deno.remove(cache, { recursive: true });
  }
});

Deno.test("sessionOptionsFor() keeps no second copy of weights that fill half of WebAssembly's memory", () => {
  assertEquals(sessionOptionsFor(10_000_000), {});
  assertEquals(sessionOptionsFor(2 ** 31), {
    enableCpuMemArena: false,
    extra: { session: { disable_prepacking: "1" } },
  });
});
