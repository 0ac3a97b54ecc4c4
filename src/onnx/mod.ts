/** ONNX: from networks and functions of tensors to files that every runtime loads. */
export {
  EXPORT_DTYPES,
  type ExportDtype,
  type ExportedGenerator,
  type ExportedModel,
  exportOnnx,
  type ExportOptions,
} from "./export.ts";
export type { ExternalData } from "./external_data.ts";
export type { GeneratorDescription } from "./generator_manifest.ts";
export { checkParity, type Parity, type ParityOptions, type ParityReference } from "./parity.ts";
export type { ExportTarget, FunctionTarget, InputSignature, NetworkTarget } from "./target.ts";
