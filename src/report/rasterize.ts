/**
 * SVG to PNG through resvg, compiled to WebAssembly, with the bundled Inter font, so that a plot comes out
 * the same on every machine and needs no fonts of the system.
 */
import { initWasm, Resvg } from "@resvg/resvg-wasm";

const REGULAR = new URL("./fonts/inter-latin-400-normal.woff2", import.meta.url);
const SEMIBOLD = new URL("./fonts/inter-latin-600-normal.woff2", import.meta.url);

let ready: Promise<Uint8Array[]> | undefined;

/** Starts resvg and reads the fonts, once. */
function prepare(): Promise<Uint8Array[]> {
  ready ??= (async () => {
    const wasm = new URL(import.meta.resolve("@resvg/resvg-wasm/index_bg.wasm"));
    const [code, ...fonts] = await Promise.all([wasm, REGULAR, SEMIBOLD].map(readBytes));
    await initWasm(code);
    return fonts;
  })();
  return ready;
}

async function readBytes(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  if (url.protocol === "file:") return await Deno.readFile(url);
  const response = await fetch(url); // the module itself came from a server
  if (!response.ok) {
    throw new Error(`Cannot read ${url}: ${response.status} ${response.statusText}`);
  }
  return await response.bytes();
}

/**
 * Draws an SVG as a PNG.
 * @param svg a whole document; its text is set in Inter, Latin letters only
 * @param options.scale pixels for each pixel of the SVG. Default 2, for sharp text on any screen
 * @returns the PNG file
 */
export async function rasterizeSvg(
  svg: string,
  options: { scale?: number } = {},
): Promise<Uint8Array> {
  const fontBuffers = await prepare();
  const renderer = new Resvg(svg, {
    font: { fontBuffers, defaultFontFamily: "Inter", sansSerifFamily: "Inter" },
    fitTo: { mode: "zoom", value: options.scale ?? 2 },
  });
  try {
    const image = renderer.render();
    try {
      return image.asPng();
    } finally {
      image.free();
    }
  } finally {
    renderer.free();
  }
}
