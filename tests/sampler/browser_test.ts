import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import type { Sampler } from "../../src/sampler/mod.ts";
import { serveSite } from "../../examples/site/serve.ts";
import { buildSite } from "../../examples/site/build.ts";
import { assertNear, FIXTURES, golden, load } from "./helpers.ts";

/** Where Debian and others put Chromium; without one these tests are left out. */
const chromium = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(
  (path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  },
);

interface Seen {
  page: Record<string, unknown> & { messages: string[] };
  sampler: {
    cache: string[];
    device: { name: string; threads: number };
    auto: string;
    fallback: string;
    latents: number[][];
    values: number[][];
    bitmap: number[];
    decoded: number[];
  };
}

async function drive(isolated: boolean): Promise<Seen> {
  const server = serveSite(await buildSite(true), {
    port: 0,
    isolated,
    files: new Map([["generator.onnx", `${FIXTURES}conditional.onnx`]]),
  });
  const folder = await Deno.makeTempDir();
  try {
    const badFile = `${folder}/page.onnx`;
    await Deno.writeTextFile(badFile, "<!doctype html><title>Sign in</title>");
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--allow-all",
        new URL("browser_script.ts", import.meta.url).pathname,
        chromium!,
        `http://127.0.0.1:${server.addr.port}`,
        badFile,
        `${FIXTURES}points.onnx`,
      ],
      signal: AbortSignal.timeout(600_000), // ends what hangs
    }).output();
    assert(success, new TextDecoder().decode(stderr));
    return JSON.parse(new TextDecoder().decode(stdout));
  } finally {
    await server.shutdown();
    await Deno.remove(folder, { recursive: true });
  }
}

async function rgba(sampler: Sampler, options: Parameters<Sampler["sample"]>[0]) {
  const [image] = await sampler.sample(options);
  return [...image.toRgba()];
}

for (const isolated of [false, true]) {
  const where = isolated ? "a cross-origin isolated page" : "a page";
  Deno.test({
    name: `examples/web works in ${where} under a strict policy, with the pixels that Deno gives`,
    ignore: chromium === undefined,
    async fn() {
      const { page, sampler } = await drive(isolated);
      await using here = await load("conditional");

      assertEquals(page.isolated, isolated);
      assertEquals(page.images, 36);
      assertMatch(
        page.status as string,
        /^generator\.onnx: images of 8\s×\s8 in colors · latents of 8 normal values/,
      );
      if (!isolated) assertEquals(page.device, "Runs on wasm, 1 thread.");
      assertEquals(page.seed0, await rgba(here, { seed: 0 }));
      assertEquals(page.seed7, await rgba(here, { seed: 7 }));
      assertEquals(page.truncated, await rgba(here, { seed: 7, truncation: 0.5 }));
      assertEquals(page.star, await rgba(here, { seed: 7, label: "star" }));
      assertEquals(page.ends, ["15", "7"]); // 7 + 6 + 2, and the first
      assertEquals(page.mix, "100");
      assertEquals(page.atA, await rgba(here, { seed: 15, label: "star" }));
      assertEquals(page.atB, await rgba(here, { seed: 7, label: "star" }));
      assertNotEquals(page.along, page.atA);
      assertEquals(page.download, ["seed-7.png", 80, 78, 71]);
      assertEquals(page.overflow, 0);
      assertMatch(
        page.badFile as string,
        /^Cannot load page\.onnx: it is a web page \(HTML, 37 bytes/,
      );
      assertMatch(page.badAddress as string, /^Cannot load http:.*index\.html: it is a web page/);
      assertEquals(page.stillThere, true); // a bad file does not take away what was there
      assertMatch(page.points as string, /^1024 points: x from/);
      assert(page.markMoves);
      assertEquals(page.messages, []);

      assertEquals(sampler.cache, ["stored", "hit"]);
      assertEquals(sampler.auto, "wasm");
      assertMatch(sampler.fallback, /^WebGPU has (no|only a software) adapter here|no WebGPU here/);
      if (!isolated) assertEquals(sampler.device.threads, 1);
      if (isolated && navigator.hardwareConcurrency > 1) assert(sampler.device.threads > 1);
      const frozen = golden.latents.filter(({ distribution }) => distribution === "normal");
      assertEquals(sampler.latents, frozen.map(({ values }) => values.slice(0, 8)));
      sampler.values.forEach((values, i) =>
        assertNear(values, golden.models.conditional.values[i], 1e-5)
      );
      assertEquals([sampler.bitmap, sampler.decoded], [[8, 8], [22, 22]]);
    },
  });
}
