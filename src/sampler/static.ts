/**
 * The sampler without dynamic imports, for service workers, extensions and bundles of one file: it has
 * the same exports as `ganforge/sampler` and samples on the CPU. Where no bundler places ONNX Runtime's
 * `.wasm`, give its address or its bytes as the option `wasm`.
 *
 * ```ts ignore
 * import { Sampler } from "@ganforge/ganforge/sampler/static";
 *
 * const sampler = await Sampler.load("generator.onnx", { wasm: "/ort-wasm-simd-threaded.wasm" });
 * ```
 *
 * @module
 */
import "./static_builds.ts";

export * from "./api.ts";
