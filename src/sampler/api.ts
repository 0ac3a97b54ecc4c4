/** What both entries of the sampler export: mod.ts and static.ts. */
export { DownloadError, GanforgeError, UserError } from "../errors.ts";
export type {
  ConditionInput,
  ConditionType,
  GeneratorManifest,
  LatentDistribution,
  SelfTest,
} from "../manifest.ts";
export type {
  ConditionColumnInfo,
  SampledManifest,
  TableManifest,
  TranslatorManifest,
  TranslatorSelfTest,
} from "../model_manifest.ts";
export type { ChoiceEncoding, ColumnEncoding, NumericEncoding } from "../tables/columns.ts";
export type { CellValue, TableRow } from "../tables/decode.ts";
export type { Vocabulary } from "../vocabulary.ts";
export type { RowConditions } from "./rows/conditions.ts";
export { RowList } from "./rows/row_list.ts";
export type { RowOptions } from "./rows/rows.ts";
export type { ColumnInfo, TableInfo } from "./rows/table_info.ts";
export type { TranslatedSource } from "./translate/source_image.ts";
export type { TranslateOptions } from "./translate/translate.ts";
export { TranslatedImage } from "./translate/translated_image.ts";
export type { TranslatorInfo } from "./translate/translator_info.ts";
export type { DownloadLimits } from "./download.ts";
export type { Assumptions, FeedValue, ImageAssumptions } from "./assumptions.ts";
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
