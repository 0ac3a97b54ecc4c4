import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { serveSite } from "../../examples/site/serve.ts";
import { isForLoopback } from "../../src/site.ts";
import { buildSite } from "../../examples/site/build.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** Runs the task with the permissions that deno.json gives it. */
async function runExample(args: string[]): Promise<{ code: number; said: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "example:web", ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  return { code, said: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

Deno.test("deno task example:web latest --out writes a page that opens that run's model", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const run = `${folder}/runs/00004-mine`;
    await Deno.mkdir(run, { recursive: true });
    await Deno.copyFile(`${ROOT}fixtures/sampler/rgb.onnx`, `${run}/generator.onnx`);
    const out = ["--runs", `${folder}/runs`, "--out", `${folder}/site`];
    const { code, said } = await runExample(["latest", ...out]);
    assertEquals(code, 0, said);
    assertEquals(
      await Deno.readFile(`${folder}/site/generator.onnx`),
      await Deno.readFile(`${run}/generator.onnx`),
    );
    const page = await Deno.readTextFile(`${folder}/site/index.html`);
    assertStringIncludes(page, '<body data-model="generator.onnx">');

    const missing = await runExample(["7", ...out]);
    assertEquals(missing.code, 2);
    assertMatch(missing.said, /^error: Cannot find the run 7: .*00004-mine/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("isForLoopback() refuses names that another site may point at this machine", () => {
  const ask = (host: string) => isForLoopback(new Request("http://x/", { headers: { host } }));
  for (const host of ["127.0.0.1", "127.0.0.1:8017", "localhost:1", "LocalHost", "[::1]:8017"]) {
    assertEquals(ask(host), true, host);
  }
  for (
    const host of ["evil.example", "127.0.0.1.evil.example", "localhost.evil:80", "", "10.0.0.1"]
  ) {
    assertEquals(ask(host), false, host);
  }
});

Deno.test("serveSite() answers 403 to another host, 404 to a name with a stray percent sign", async () => {
  const server = serveSite(await buildSite(false), { port: 0, isolated: false });
  try {
    const { port } = server.addr;
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    const ask = "GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
    await connection.write(new TextEncoder().encode(ask));
    const answer = await new Response(connection.readable).text();
    assertMatch(answer, /^HTTP\/1\.1 403 /);
    const odd = await fetch(`http://127.0.0.1:${port}/%zz`);
    assertEquals([odd.status, await odd.text()], [404, "There is no %zz here\n"]);
  } finally {
    await server.shutdown();
  }
});
