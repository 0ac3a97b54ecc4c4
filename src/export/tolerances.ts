/** How far a file may be from what it was made of, by the precision of its weights. */
import type { ExportDtype } from "./dtypes.ts";

/** The largest difference, and the largest mean difference where weights were rounded. */
export interface Tolerance {
  /** Of any value. */
  largest: number;
  /** Over all values. */
  mean?: number;
}

/**
 * As shares of values beyond 1. Float32 differs by rounding alone. Float16 and 8-bit weights are meant to
 * differ: their figures are reported, and this only catches a file that is broken, as a few
 * steep places may change much. The mean is about five times what rounding does to the presets.
 */
export const TOLERANCES: Readonly<Record<ExportDtype, Tolerance>> = {
  fp32: { largest: 1e-5 },
  fp16: { largest: 0.1, mean: 0.003 },
  int8: { largest: 1, mean: 0.05 },
};

/** The same in gray levels, of which one may be a matter of rounding. */
export const LEVEL_TOLERANCES: Readonly<Record<ExportDtype, Tolerance>> = {
  fp32: { largest: 1 },
  fp16: { largest: 13, mean: 1 },
  int8: { largest: 128, mean: 7 },
};
