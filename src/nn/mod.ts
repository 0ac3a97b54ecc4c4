/** Networks: built from their description, initialized, applied, differentiated. */
export { applyNetwork } from "./apply.ts";
export { buildNetwork } from "./build.ts";
export { withFrozenLayers } from "./freeze.ts";
export { type TensorTree, type ValueAndGradients, valueAndGradients } from "./gradients.ts";
export { initialParameters } from "./initializers.ts";
export type {
  ApplyContext,
  Forward,
  LayerCall,
  LayerSummary,
  Network,
  Parameter,
  ParameterInit,
} from "./types.ts";
