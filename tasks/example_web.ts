/** Serves examples/web, the page that draws from an exported generator, or writes it as a static site. */
import { UserError } from "../src/errors.ts";
import { runTask } from "../cli/command.ts";
import { serveSite } from "../examples/site/serve.ts";
import { buildSite } from "../examples/site/build.ts";

await runTask({
  name: "example:web",
  summary: "Serves a page that draws from an exported generator in the browser.",
  positionals: "[MODEL.onnx | RUN]",
  maxPositionals: 1,
  options: {
    port: { help: "port on 127.0.0.1, 0 for any free one (default 8017)", value: "N" },
    isolated: { help: "make the page cross-origin isolated, so that ONNX Runtime uses threads" },
    out: { help: "write the site's files into this folder instead of serving them", value: "DIR" },
  },
  examples: [
    "deno task example:web runs/00001-digits-digits",
    "deno task example:web --isolated generator.onnx",
    "deno task example:web --out site",
  ],
}, async (command) => {
  const [given] = command.positionals;
  const out = command.text("out");
  const model = given === undefined ? undefined : await findModel(given);
  const site = await buildSite();
  if (out !== undefined) {
    if (model !== undefined) {
      site.set("generator.onnx", { type: "", body: await Deno.readFile(model) });
    }
    await writeSite(site, out);
    console.log(`Wrote ${site.size} files into ${out}`);
    return { json: { out, files: site.size } };
  }
  const port = command.integer("port", { min: 0, max: 65535 }) ?? 8017;
  const server = listen(site, port, command.flag("isolated"), model);
  const query = model === undefined ? "" : "?model=generator.onnx";
  console.log(`Open http://127.0.0.1:${server.addr.port}/${query} (Ctrl-C ends)`);
  await server.finished;
});

/** The file of a path or run folder. */
async function findModel(given: string): Promise<string> {
  for (const path of [given, `${given}/generator.onnx`]) {
    const found = await Deno.stat(path).catch(() => null);
    if (found?.isFile) return path;
  }
  throw new UserError(`Cannot serve ${given}: it is neither an ONNX file nor a run with one`);
}

function listen(
  site: Awaited<ReturnType<typeof buildSite>>,
  port: number,
  isolated: boolean,
  model: string | undefined,
): Deno.HttpServer<Deno.NetAddr> {
  try {
    return serveSite(site, { port, isolated, model });
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    throw new UserError(`Cannot serve on port ${port}: it is in use; choose another with --port`);
  }
}

async function writeSite(site: Awaited<ReturnType<typeof buildSite>>, out: string): Promise<void> {
  for (const [path, { body }] of site) {
    const file = `${out}/${path}`;
    await Deno.mkdir(file.slice(0, file.lastIndexOf("/")), { recursive: true });
    await Deno.writeFile(file, body);
  }
}
