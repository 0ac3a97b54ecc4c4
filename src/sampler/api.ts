/** What both entries of the sampler export: mod.ts and static.ts. */
export { DownloadError, GanforgeError, UserError } from "../errors.ts";
export type {
  ConditionInput,
  ConditionType,
  GeneratorManifest,
  LatentDistribution,
  SelfTest,
} from "../manifest.ts";
export type { DownloadLimits } from "./download.ts";
export type { Assumptions, FeedValue } from "./assumptions.ts";
export type { GeneratorInfo, OutputSpec } from "./generator_info.ts";
export { grid, type GridOptions } from "../raster/grid.ts";
export { interpolateLatents, type InterpolateOptions, type LatentInfo } from "./latents.ts";
export type { LoadOptions, LoadProgress } from "./loading.ts";
export { encodePng, type PngImage } from "../raster/png.ts";
export { Raster, type RasterImage } from "../raster/raster.ts";
export type { SampleOptions } from "./requests.ts";
export type { RuntimeOptions } from "./runtime.ts";
export type { RuntimeWasm } from "./runtime_wasm.ts";
export { Sample, SampleList } from "./sample.ts";
export { Sampler } from "./sampler.ts";
export type { SamplerDevice } from "./session.ts";
export type { ModelSource, SourceOptions } from "./source.ts";
