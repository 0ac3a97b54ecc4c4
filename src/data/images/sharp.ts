/**
 * The door to sharp, which decodes and resizes images by libvips: loaded when the first image asks for
 * it, so that runs without images need neither the package nor `--allow-ffi`. Where its native library
 * does not load, sharp takes its WebAssembly build, and the name of the decoder says so.
 */
import type sharpModule from "sharp";
// The build that sharp falls back to must be among the packages that Deno resolves.
import wasmPackage from "@img/sharp-wasm32/package" with { type: "json" };
import { UserError } from "../../errors.ts";

/** What {@linkcode loadSharp} gives. */
export interface LoadedSharp {
  /** Makes a pipeline. */
  sharp: typeof sharpModule;
  /** Names versions and build: "sharp 0.35.5, libvips 8.18.7". The same name gives the same pixels. */
  decoder: string;
  /** Why the WebAssembly build is used, where it is. */
  fallback?: string;
}

let loading: Promise<LoadedSharp> | undefined;

/**
 * Loads sharp once.
 * @throws {UserError} when neither build loads
 */
export function loadSharp(): Promise<LoadedSharp> {
  return loading ??= load();
}

async function load(): Promise<LoadedSharp> {
  let sharp: typeof sharpModule;
  try {
    sharp = (await import("sharp")).default;
  } catch (error) {
    const detail = error instanceof Error ? error.message.replace(/\s+/g, " ") : String(error);
    throw new UserError(
      `Cannot read images: neither sharp's native library nor its WebAssembly build ` +
        `${wasmPackage.version} loads on ${Deno.build.os} ${Deno.build.arch} (${detail}); ` +
        `save the images as a .npy array elsewhere, and train on that`,
      { cause: error },
    );
  }
  sharp.cache(false); // each file is read once
  sharp.concurrency(1); // images run side by side instead
  const { versions } = sharp as unknown as { versions: Record<string, string> };
  const decoder = `sharp ${versions.sharp}, libvips ${versions.vips}`;
  if (!versions.emscripten) return { sharp, decoder };
  const ffi = await Deno.permissions.query({ name: "ffi" });
  const reason = ffi.state === "granted"
    ? `there is no native build for ${Deno.build.os} ${Deno.build.arch}`
    : "Deno was not given --allow-ffi";
  return {
    sharp,
    decoder: `${decoder}, WebAssembly`,
    fallback: `images are decoded by sharp's WebAssembly build, several times slower: ${reason}`,
  };
}
