/**
 * Draws samples from a generator's ONNX file through ONNX Runtime Web, in Deno, Node and pages.
 *
 * ```ts
 * import { Sampler } from "@ganforge/ganforge/sampler";
 *
 * await using sampler = await Sampler.load("fixtures/sampler/points.onnx", { device: "wasm" });
 * const [point] = await sampler.sample({ seed: 7 });
 * console.log(point.values.length); // 2
 * ```
 *
 * @module
 */
import "./dynamic_builds.ts";

export * from "./api.ts";
