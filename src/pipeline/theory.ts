/**
 * What theory says of a run on data of a known density, measured on the trained networks: divergences
 * and the discriminator beside its optimum for one dimension, modes for two.
 */
import type { RunConfig } from "../config/run_config.ts";
import { valueInterval } from "../data/samples.ts";
import type { DataSource } from "../data/source.ts";
import type { Engine } from "../engine/types.ts";
import type { HostTensor, HostTensors } from "../tensor/types.ts";
import { estimateOptimalDiscriminator } from "../metrics/discriminator.ts";
import type { LineTheory } from "../metrics/line_theory.ts";
import type { ModeCoverage } from "../metrics/modes.ts";
import { sampleMatrix } from "../metrics/sample_matrix.ts";
import type { Network } from "../nn/mod.ts";
import type { DiscriminatorCurves } from "../report/density_plot.ts";
import { section } from "../training/tensor_names.ts";
import {
  LINE_SAMPLES,
  lineMeasures,
  MODE_SAMPLES,
  modeMeasures,
} from "../evaluation/density_measures.ts";
import { compileNetwork, generatorWeights, seededLatents } from "../evaluation/generate.ts";

/** Points of the discriminator's curve. */
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
  const count = data.sampleSize === 1 ? LINE_SAMPLES : MODE_SAMPLES;
  const runner = await compileNetwork(engine, generator, MODE_SAMPLES);
  try {
    const latents = seededLatents(config.latent, 0, count);
    const classes = data.classNames?.length ?? 1;
    const labels = generator.usesLabels
      ? Int32Array.from({ length: count }, (_, i) => i % classes)
      : undefined;
    const output = await runner.run(generatorWeights(state), latents, { labels });
    const samples = output.data as Float32Array;
    if (data.sampleSize === 1) return { samples, line: await measureOnLine(setup, samples) };
    const modes = modeMeasures(sampleMatrix(samples, 2), data);
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
  if (discriminator.spec.inputShape[0] !== 1 || discriminator.usesLabels) {
    return lineMeasures(samples, data); // packs and classes have no curve over x
  }
  const reals = exact.sample(LINE_SAMPLES, { seed: config.seed + 1 }); // not those of training
  const range = valueInterval(data);
  const x = Float32Array.from(
    { length: CURVE_POINTS },
    (_, i) => range[0] + (range[1] - range[0]) * i / (CURVE_POINTS - 1),
  );
  const runner = await compileNetwork(engine, discriminator, MODE_SAMPLES);
  async function discriminate(points: Float32Array): Promise<Float32Array> {
    const batch: HostTensor = { shape: [points.length, 1], dtype: "float32", data: points };
    return (await runner.run(section(state, "discriminator"), batch)).data as Float32Array;
  }
  try {
    const logits = { real: await discriminate(reals), fake: await discriminate(samples) };
    const line = lineMeasures(samples, data, logits);
    return {
      ...line,
      curves: {
        x,
        trained: (await discriminate(x)).map((logit) => 1 / (1 + Math.exp(-logit))),
        optimal: estimateOptimalDiscriminator(samples, (at) => exact.density([at]), line.binning),
      },
    };
  } finally {
    await runner.dispose();
  }
}
