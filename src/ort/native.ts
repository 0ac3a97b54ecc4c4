/**
 * onnxruntime-node, which is native and fast, where a person has installed it in this project's version.
 *
 * It is looked for in `node_modules` folders only, beside this file and in the working directory, and
 * upward from there. It is no dependency of this project: named in an import map, a lock file or a
 * dynamic import, Deno would download its 290 MB for everyone.
 */
import type { OrtModule } from "./types.ts";

/** The version that this project is tested with: that of onnxruntime-web in deno.json. */
export const NATIVE_VERSION = "1.30.0";

/** The runtime, or why there is none. */
export type NativeRuntime =
  | { ort: OrtModule }
  | {
    /** One clause, such as `there is no such package; npm install ... makes it available`. */
    missing: string;
    /** True where a package is there that cannot be used, which a person wants to know unasked. */
    isInstalled: boolean;
  };

/**
 * Loads onnxruntime-node, if its version is {@linkcode NATIVE_VERSION}: another one may compute other
 * bits, or crash. The version is read before any native code runs.
 * @param places addresses of files or folders in which the search begins, the best one first
 */
export async function loadNative(places: string[] = defaultPlaces()): Promise<NativeRuntime> {
  const { createRequire } = await import("node:module");
  // Its install script fetches CUDA's part, which is of no use here.
  const command = `npm install --no-save --ignore-scripts onnxruntime-node@${NATIVE_VERSION}`;
  let missing = `there is no such package; ${command} makes it available, and it needs --allow-ffi`;
  let isInstalled = false;
  for (const place of places) {
    try {
      const require = createRequire(place);
      const path = require.resolve(`${PACKAGE}/package.json`);
      const { version } = require(path) as { version: string };
      if (version === NATIVE_VERSION) return { ort: require(PACKAGE) };
      isInstalled = true;
      missing = `${path.replace(/[/\\]package\.json$/, "")} has version ${version}, and ` +
        `${NATIVE_VERSION} is needed: ${command}`;
    } catch (error) {
      const message = (error as Error).message.split("\n")[0];
      if (/^Cannot find module '?onnxruntime-node|must be a file URL/.test(message)) continue;
      isInstalled = true;
      missing = message;
    }
  }
  return { missing, isInstalled };
}

const PACKAGE = "onnxruntime-node";

/** Beside this file, unless it was imported over the network, and the working directory. */
function defaultPlaces(): string[] {
  return [import.meta.url, `file://${Deno.cwd()}/`];
}
