/**
 * What theory says of a run on data of a known density, measured on the trained networks: divergences
 * and the discriminator beside its optimum for one dimension, modes for two.
 */
import type { RunConfig } from "../config/run_config.ts";
import type { DataSource } from "../data/source.ts";
import type { Engine, HostTensor, HostTensors } from "../engine/types.ts";
import { estimateOptimalDiscriminator } from "../metrics/discriminator.ts";
import { type LineTheory, measureLine } from "../metrics/line_theory.ts";
import { type ModeCoverage, modeCoverage } from "../metrics/modes.ts";
import { sampleMatrix } from "../metrics/sample_matrix.ts";
import type { Network } from "../nn/mod.ts";
import type { DiscriminatorCurves } from "../report/density_plot.ts";
import { section } from "../training/tensor_names.ts";
import { compileNetwork, generatorWeights, seededLatents } from "./generate.ts";
import { plotRange } from "./pictures.ts";

/** Samples for the 1-D estimates: with 100 bins a perfect generator's JSD reads about 0.0001. */
const SAMPLES_1D = 100_000;
const BINS_1D = 100;
/** Samples of the published mode tables (Lin et al. 2018, section 4.1). */
const SAMPLES_2D = 2500;
/** Points that the discriminator's curve is drawn through. */
const CURVE_POINTS = 401;

/** What can be said of a run. */
export interface Theory {
  /** For one dimension: the estimates, and the trained discriminator beside the best one. */
  line?: LineTheory & { curves?: DiscriminatorCurves };
  /** For two dimensions. */
  modes?: ModeCoverage & { samples: number };
  /** `[n, dimension]` flat: the samples that were measured. */
  samples: Float32Array;
}

/** What {@linkcode measureTheory} looks at. */
export interface TheorySetup {
  config: RunConfig;
  data: DataSource;
  engine: Engine;
  generator: Network;
  discriminator: Network;
  state: HostTensors;
}

/** Measures a trained run. @returns undefined where the data has no known density */
export async function measureTheory(setup: TheorySetup): Promise<Theory | undefined> {
  const { config, data, engine, generator, state } = setup;
  if (!data.density || data.sampleSize > 2) return undefined;
  const count = data.sampleSize === 1 ? SAMPLES_1D : SAMPLES_2D;
  const runner = await compileNetwork(engine, generator, SAMPLES_2D);
  try {
    const latents = seededLatents(config.latent, 0, count);
    const classes = data.classNames?.length ?? 1;
    const labels = generator.usesLabels
      ? Int32Array.from({ length: count }, (_, i) => i % classes)
      : undefined;
    const output = await runner.run(generatorWeights(state), latents, labels);
    const samples = output.data as Float32Array;
    if (data.sampleSize === 1) return { samples, line: await measureOnLine(setup, samples) };
    const centers = data.density.modes.map((mode) => mode.mean);
    const sigma = data.density.modes[0].sigma;
    const modes = modeCoverage(sampleMatrix(samples, 2), { centers, sigma });
    return { samples, modes: { ...modes, samples: count } };
  } finally {
    await runner.dispose();
  }
}

async function measureOnLine(
  setup: TheorySetup,
  samples: Float32Array,
): Promise<LineTheory & { curves?: DiscriminatorCurves }> {
  const { config, data, engine, discriminator, state } = setup;
  const exact = data.density!;
  const density = (x: number) => exact.density([x]);
  const range = plotRange(data);
  const binning = { range, bins: BINS_1D };
  if (discriminator.spec.inputShape[0] !== 1 || discriminator.usesLabels) {
    return measureLine({ samples, density, binning }); // packs and classes have no curve over x
  }
  const reals = exact.sample(SAMPLES_1D, { seed: config.seed + 1 }); // not those of training
  const x = Float32Array.from(
    { length: CURVE_POINTS },
    (_, i) => range[0] + (range[1] - range[0]) * i / (CURVE_POINTS - 1),
  );
  const runner = await compileNetwork(engine, discriminator, SAMPLES_2D);
  async function judge(points: Float32Array): Promise<Float32Array> {
    const batch: HostTensor = { shape: [points.length, 1], dtype: "float32", data: points };
    return (await runner.run(section(state, "discriminator"), batch)).data as Float32Array;
  }
  try {
    const logits = { real: await judge(reals), fake: await judge(samples) };
    return {
      ...measureLine({ samples, density, logits, binning }),
      curves: {
        x,
        trained: (await judge(x)).map((logit) => 1 / (1 + Math.exp(-logit))),
        optimal: estimateOptimalDiscriminator(samples, density, binning),
      },
    };
  } finally {
    await runner.dispose();
  }
}
