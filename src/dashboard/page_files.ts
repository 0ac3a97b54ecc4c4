/** The files of the dashboard's page, ready for a browser. */
import { browserModules, type SiteFile, siteFile } from "../site.ts";

const ROOT = new URL("../../", import.meta.url);
const PAGE = "src/dashboard/page/";

/** The page's files by path: its own, the sampler, ONNX Runtime and uPlot. */
export async function dashboardPage(): Promise<Map<string, SiteFile>> {
  const site = await browserModules({
    root: ROOT,
    page: PAGE,
    entries: [new URL(`${PAGE}main.ts`, ROOT), new URL("src/sampler/mod.ts", ROOT)],
    packages: { "uplot": "uplot/uPlot.esm.js" },
  });
  for (const name of ["index.html", "style.css", "icon.svg"]) {
    site.set(name, siteFile(name, await Deno.readFile(new URL(PAGE + name, ROOT))));
  }
  const uplot = import.meta.resolve("uplot");
  for (const name of ["uPlot.esm.js", "uPlot.min.css"]) {
    site.set(`uplot/${name}`, siteFile(name, await Deno.readFile(new URL(name, uplot))));
  }
  return site;
}
