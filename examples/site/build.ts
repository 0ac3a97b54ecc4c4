/** Makes the files of examples/web ready for a browser. */
import { browserModules, type SiteFile, siteFile } from "../../src/site.ts";

export type { SiteFile } from "../../src/site.ts";

const ROOT = new URL("../../", import.meta.url);
const PAGE = "examples/web/";

/** The name under which a site has the model that it was made for. */
export const OWN_MODEL = "generator.onnx";

/**
 * The site's files by their path, such as `index.html` or `src/sampler/mod.js`.
 * @param hasModel whether there is an {@linkcode OWN_MODEL} for the page to open by itself
 */
export async function buildSite(hasModel: boolean): Promise<Map<string, SiteFile>> {
  const site = await browserModules({
    root: ROOT,
    page: PAGE,
    entries: [new URL(`${PAGE}main.ts`, ROOT), new URL("src/sampler/mod.ts", ROOT)],
  });
  const page = await Deno.readTextFile(new URL(`${PAGE}index.html`, ROOT));
  const body = hasModel ? `<body data-model="${OWN_MODEL}">` : "<body>";
  const html = page.replace('src="main.ts"', 'src="main.js"').replace("<body>", body);
  site.set("index.html", siteFile("index.html", html));
  for (const name of ["style.css", "icon.svg"]) {
    site.set(name, siteFile(name, await Deno.readFile(new URL(PAGE + name, ROOT))));
  }
  return site;
}
