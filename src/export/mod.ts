/**
 * ONNX: from generators, and from any function of TensorFlow.js tensors, to files that every runtime
 * loads.
 *
 * @example A network of this project
 * ```ts
 * import { exportOnnx } from "@ganforge/ganforge/onnx";
 *
 * const numbers = (...shape: number[]) => ({
 *   shape,
 *   dtype: "float32" as const,
 *   data: new Float32Array(shape.reduce((size, side) => size * side, 1)).fill(0.1),
 * });
 * const { bytes, manifest } = await exportOnnx({
 *   spec: {
 *     inputShape: [2],
 *     init: "torch",
 *     layers: [{ type: "dense", units: 3 }, { type: "activation", fn: "tanh" }],
 *   },
 *   weights: { "dense_1/kernel": numbers(2, 3), "dense_1/bias": numbers(3) },
 * });
 * console.log(bytes.length < 2000, manifest.output.shape); // true [3]
 * ```
 *
 * @module
 */
export { EXPORT_DTYPES, type ExportDtype } from "./dtypes.ts";
export {
  type ExportedGenerator,
  type ExportedModel,
  exportOnnx,
  type ExportOptions,
} from "./export.ts";
export type { ExternalData } from "../graph/external_data.ts";
export type { ColumnUnits } from "./compare.ts";
export type { GeneratorDescription } from "./generator_manifest.ts";
export type { TranslatorDescription } from "./translator_target.ts";
export type { InputRoles } from "./generator_roles.ts";
export { checkParity, type Parity, type ParityOptions, type ParityReference } from "./parity.ts";
export type {
  ExportTarget,
  FunctionTarget,
  GraphModelLike,
  InputDimension,
  InputShapes,
  InputSignature,
  LayersModelLike,
  NetworkTarget,
  NoiseSource,
  TensorLike,
} from "./target.ts";
export type {
  ActivationName,
  InitializerSpec,
  LayerSpec,
  Named,
  NetworkSpec,
  PaddingSpec,
  Weighted,
} from "../config/network.ts";
export type { HostTensor, HostTensors } from "../tensor/types.ts";
export type {
  ConditionInput,
  ConditionType,
  GeneratorManifest,
  LatentDistribution,
  SelfTest,
} from "../manifest.ts";
