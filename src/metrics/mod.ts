/**
 * Measures of generators: typed arrays in, numbers out. Nothing here knows networks, TensorFlow.js or
 * files; whoever calls brings samples, features or predictions.
 */
export * from "./class_probabilities.ts";
export * from "./discriminator.ts";
export * from "./divergence.ts";
export * from "./frechet.ts";
export * from "./histogram.ts";
export * from "./kernel_distance.ts";
export * from "./line_theory.ts";
export * from "./manifold.ts";
export * from "./modes.ts";
export * from "./neighbors.ts";
export { type SampleMatrix, sampleMatrix, selectRows } from "./sample_matrix.ts";
export * from "./wasserstein.ts";
