/** NumPy's and SciPy's figures for the metrics' tests, from fixtures/metrics/make_fixtures.py. */
import { type SampleMatrix, sampleMatrix } from "../../src/metrics/mod.ts";

/** What golden.json holds. */
export interface Golden {
  dimensions: number;
  real: number[];
  fake: number[];
  frechet: number;
  kernelDistance: number;
  manifold: Record<
    string,
    { precision: number; recall: number; density: number; coverage: number }
  >;
  nearestIndices: number[];
  nearestDistances: number[];
  wasserstein1: number;
  wasserstein2: number;
  singular: { dimensions: number; real: number[]; fake: number[]; frechet: number };
  inceptionScore: {
    classes: number;
    probabilities: number[];
    1: { mean: number; deviation: number };
    3: { mean: number; deviation: number };
  };
  line: {
    samples: number[];
    range: [number, number];
    bins: number;
    kl: number;
    reverseKl: number;
    jsd: number;
    outside: number;
    wassersteinToDensity: number;
  };
}

export const golden: Golden = JSON.parse(
  Deno.readTextFileSync(new URL("../../fixtures/metrics/golden.json", import.meta.url)),
);

/** A golden list as rows. */
export function rows(values: number[], dimensions: number): SampleMatrix {
  return sampleMatrix(Float32Array.from(values), dimensions);
}

/** Density of N(mean, sigma^2). */
export function normalDensity(mean: number, sigma: number): (x: number) => number {
  return (x) => Math.exp(-0.5 * ((x - mean) / sigma) ** 2) / (sigma * Math.sqrt(2 * Math.PI));
}

/** The density that golden.json's `line` was measured against. */
export function lineDensity(x: number): number {
  return 0.4 * normalDensity(-1, 0.5)(x) + 0.6 * normalDensity(1.5, 0.7)(x);
}
