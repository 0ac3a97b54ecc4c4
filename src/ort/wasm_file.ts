/**
 * Where the `.wasm` of the wasm build may lie, for who fetches it instead of ONNX Runtime. Its own file,
 * and its sibling for WebGPU another, since a bundler emits each `.wasm` that it finds named in a URL.
 */

/** The file's name in the package. */
export const WASM_FILE = "ort-wasm-simd-threaded.wasm";

/** Addresses to try, best first; empty where only ONNX Runtime itself knows. */
export function wasmAddresses(): string[] {
  return usable([
    resolved("onnxruntime-web/ort-wasm-simd-threaded.wasm"),
    // Bundlers put the asset's address here; where there is none, it is a folder beside this file.
    new URL("onnxruntime-web/ort-wasm-simd-threaded.wasm", import.meta.url).href,
    beside(import.meta.url, WASM_FILE),
  ]);
}

/** What the platform, or a page's import map, says about a file of the package. */
function resolved(specifier: string): string | null {
  try {
    return import.meta.resolve?.(specifier) ?? null;
  } catch {
    return null; // no import map, or not in it
  }
}

/** A file in the folder of another: where it lies beside a bundle that was copied by hand. */
export function beside(module: string | undefined, file: string): string | null {
  if (module === undefined || !URL.canParse(module)) return null;
  return new URL(file, module).href;
}

/** Addresses that can be read here: no paths of the machine that bundled a page. */
export function usable(addresses: (string | null)[]): string[] {
  const { process, Deno: deno } = globalThis as {
    process?: { versions?: { node?: string }; type?: string };
    Deno?: unknown;
  };
  const readsFiles = deno !== undefined ||
    (process?.versions?.node !== undefined && process.type !== "renderer");
  const found = addresses.filter((address) => address !== null)
    .map((address) => readsFiles ? address : absolute(address))
    .filter((address) =>
      readsFiles ? address.startsWith("file:") : /^(https?|blob|data|.*-extension):/.test(address)
    );
  return [...new Set(found)];
}

/** Turbopack gives an asset's address without an origin: `/_next/static/media/...`. */
function absolute(address: string): string {
  const { location } = globalThis as { location?: { href: string } };
  return address.startsWith("/") && location !== undefined
    ? new URL(address, location.href).href
    : address;
}
