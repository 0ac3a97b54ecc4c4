import { assert, assertEquals, assertMatch } from "@std/assert";
import { buildSite } from "../../examples/site/build.ts";
import { serveSite } from "../../examples/site/serve.ts";
import { assertNear, FIXTURES, load } from "./helpers.ts";

const chromium = "/usr/bin/chromium";
const hasChromium = await Deno.stat(chromium).then(({ isFile }) => isFile, () => false);

Deno.test({
  name: "Sampler.load() ends with one thread in an isolated page whose policy forbids workers",
  ignore: !hasChromium,
  async fn() {
    const site = serveSite(await buildSite(true), {
      port: 0,
      isolated: true,
      files: new Map([["generator.onnx", `${FIXTURES}conditional.onnx`]]),
    });
    const strict = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      async (request) => {
        const { pathname } = new URL(request.url);
        const answer = await fetch(`http://127.0.0.1:${site.addr.port}${pathname}`);
        const headers = new Headers(answer.headers);
        const policy = headers.get("content-security-policy")!;
        headers.set(
          "content-security-policy",
          policy.replace("worker-src 'self'", "worker-src 'none'"),
        );
        return new Response(answer.body, { status: answer.status, headers });
      },
    );
    try {
      const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: [
          "run",
          "--allow-all",
          new URL("load_in_page_script.ts", import.meta.url).pathname,
          chromium,
          `http://127.0.0.1:${strict.addr.port}`,
        ],
        signal: AbortSignal.timeout(300_000), // ends what hangs
      }).output();
      assert(success, new TextDecoder().decode(stderr));
      const seen = JSON.parse(new TextDecoder().decode(stdout));
      assertEquals([seen.isolated, seen.device.name, seen.device.threads], [true, "wasm", 1]);
      assertMatch(seen.device.fallback, /^1 instead of 2 threads: its threads cannot start: /);
      await using here = await load("conditional");
      const [image] = await here.sample({ seed: 7, label: 0 });
      assertNear(seen.values, image.values, 1e-5);
    } finally {
      await strict.shutdown();
      await site.shutdown();
    }
  },
});
