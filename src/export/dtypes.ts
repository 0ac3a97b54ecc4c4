/** How weights can be kept. */

/** See {@linkcode ExportDtype}. */
export const EXPORT_DTYPES = ["fp32", "fp16", "int8"] as const;

/**
 * How weights are kept and computed with: float32; float16 throughout; or 8-bit weights with a scale for each
 * channel, computed with in float32. Inputs and outputs are the same for all.
 */
export type ExportDtype = typeof EXPORT_DTYPES[number];
