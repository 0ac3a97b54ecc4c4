/** Serves examples/web, the page that draws from an exported generator, or writes it as a static site. */
import { UserError } from "../src/errors.ts";
import { runTask } from "../cli/command.ts";
import { buildSite, OWN_MODEL, type SiteFile } from "../examples/site/build.ts";
import { type ServeOptions, serveSite } from "../examples/site/serve.ts";
import { findGenerator } from "../src/run/find_generator.ts";
import { readModelFile } from "../src/sampler/model_file.ts";

await runTask({
  name: "example:web",
  summary: "Serves a page that draws from an exported generator in the browser.",
  positionals: "[MODEL.onnx | RUN | latest]",
  maxPositionals: 1,
  options: {
    port: { help: "port on 127.0.0.1, 0 for any free one (default 8017)", value: "N" },
    isolated: { help: "make the page cross-origin isolated, so that ONNX Runtime uses threads" },
    runs: { path: true, help: "the folder of all runs (default runs)", value: "FOLDER" },
    out: {
      path: true,
      help: "write the site's files into this folder instead of serving them",
      value: "DIR",
    },
  },
  examples: [
    "deno task example:web latest",
    "deno task example:web --isolated generator.onnx",
    "deno task example:web --out site",
  ],
}, async (command) => {
  const [given] = command.positionals;
  const out = command.text("out");
  const runsFolder = command.text("runs") ?? "runs";
  const model = given === undefined
    ? undefined
    : (await findGenerator(given, { runsFolder, purpose: "serve" })).model;
  const site = await buildSite(model !== undefined);
  if (out !== undefined) {
    if (model !== undefined) {
      for (const [name, path] of await modelFiles(model)) {
        site.set(name, { type: "", body: await Deno.readFile(path) });
      }
    }
    await writeSite(site, out);
    console.log(`Wrote ${site.size} files into ${out}`);
    return { json: { out, files: site.size } };
  }
  const port = command.integer("port", { min: 0, max: 65535 }) ?? 8017;
  const files = model === undefined ? undefined : await modelFiles(model);
  const server = listen(site, { port, isolated: command.flag("isolated"), files });
  console.log(`Open http://127.0.0.1:${server.addr.port}/ (Ctrl-C ends)`);
  await server.finished;
});

/** A model's own file and those of its weights: where the site has them, and where they are read. */
async function modelFiles(model: string): Promise<Map<string, string>> {
  const { weightFiles } = readModelFile(await Deno.readFile(model), model);
  const folder = model.slice(0, model.lastIndexOf("/") + 1);
  const beside = [...weightFiles.keys()].map((name): [string, string] => [name, folder + name]);
  return new Map([[OWN_MODEL, model], ...beside]);
}

function listen(site: Map<string, SiteFile>, options: ServeOptions): Deno.HttpServer<Deno.NetAddr> {
  try {
    return serveSite(site, options);
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    throw new UserError(
      `Cannot serve on port ${options.port}: it is in use; choose another with --port`,
    );
  }
}

async function writeSite(site: Map<string, SiteFile>, out: string): Promise<void> {
  for (const [path, { body }] of site) {
    const file = `${out}/${path}`;
    await Deno.mkdir(file.slice(0, file.lastIndexOf("/")), { recursive: true });
    await Deno.writeFile(file, body);
  }
}
