/**
 * Says when training goes wrong in a way that its losses do not show: a generator that makes nearly
 * one sample only, or a discriminator that nothing can fool any more. Looks at the samples of each
 * snapshot, so it costs the training nothing.
 */
import { logitKind, type ObjectiveName } from "../config/objective.ts";
import { firstSamples } from "../data/samples.ts";
import type { DataSource } from "../data/source.ts";
import { objectives } from "../objectives/objectives.ts";

/** How much samples vary beside the data, below which they have collapsed. */
const COLLAPSED = 0.2;
/** And above which they have recovered. */
const RECOVERED = 0.4;
/** An untrained generator makes nearly one sample too: this share of the run is too early to tell. */
const EARLY = 0.1;
/** And so are fewer steps than this. */
const EARLIEST = 100;
/** D(x), a probability, above 1 - this and D(G(z)) below it: the discriminator is nearly always right. */
const SURE = 0.01;
/** The same under least squares, whose targets are 1 and 0: the mean error is below this. */
const NEAR_TARGET = 0.05;
/** And under hinge, where a sample past 1 or -1 is right enough to cost nothing: the mean is past this. */
const PAST_MARGIN = 2;
/** Samples of the data that its spread is measured on. */
const REALS = 1000;

/** One look at a run. */
export interface CollapseLook {
  step: number;
  totalSteps: number;
  /** `[n, ...shape]` flat */
  samples: Float32Array;
  /** The last step's scalars. */
  scalars: Record<string, number>;
}

/** Watches for collapse; warns once, and again only after a recovery. */
export class CollapseWatch {
  readonly #data: DataSource;
  readonly #realSpread: number;
  readonly #objective: ObjectiveName;
  #collapsed = false;
  #sure = 0;

  /** @param objective decides what `dReal` and `dFake` are */
  constructor(data: DataSource, objective: ObjectiveName) {
    this.#data = data;
    this.#realSpread = spread(firstSamples(data, REALS), data.sampleSize);
    this.#objective = objective;
  }

  /** How much samples vary beside the data: 1 as much, 0 not at all. @param samples `[n, ...shape]` flat */
  diversity(samples: Float32Array): number {
    return spread(samples, this.#data.sampleSize) / Math.max(this.#realSpread, 1e-12);
  }

  /** What is wrong and what to try, where something is. */
  look({ step, totalSteps, samples, scalars }: CollapseLook): string[] {
    if (step < Math.max(EARLIEST, EARLY * totalSteps)) return [];
    const warnings: string[] = [];
    const diversity = this.diversity(samples);
    if (diversity < COLLAPSED && !this.#collapsed) {
      warnings.push(
        `the generator has collapsed: at step ${step} its samples vary ${
          Math.round(100 * diversity)
        }% as much as the data${
          this.#logitText(scalars)
        }; try pack=2, the relativistic objective with r1 and r2, or a smaller ` +
          "generatorOptimizer.learningRate",
      );
    }
    if (diversity < COLLAPSED) this.#collapsed = true;
    else if (diversity > RECOVERED) this.#collapsed = false;

    this.#sure = this.#isSure(scalars) ? this.#sure + 1 : 0;
    if (this.#sure === 2) { // one step's figures may be chance
      const smoothing = objectives[this.#objective].hasRealLabel ? "objective.realLabel=0.9, " : "";
      warnings.push(
        `the discriminator is nearly always right: at step ${step}${
          this.#logitText(scalars).replace(/^,/, "")
        }, which teaches the generator little; its samples vary ${
          Math.round(100 * diversity)
        }% as much as the data; try objective.r1, instanceNoise, ${smoothing}` +
          "a smaller discriminatorOptimizer.learningRate, or augment where data are few",
      );
    }
    return warnings;
  }

  #isSure({ dReal, dFake }: CollapseLook["scalars"]): boolean {
    switch (this.#objective) {
      case "minimax":
      case "non-saturating":
        return dReal > 1 - SURE && dFake < SURE;
      case "least-squares":
        return dReal > 1 - NEAR_TARGET && dFake < NEAR_TARGET;
      case "hinge":
        return dReal > PAST_MARGIN && dFake < -PAST_MARGIN;
      case "relativistic": // D ranks a pair correctly with probability sigmoid(margin)
        return dReal - dFake > Math.log((1 - SURE) / SURE);
      case "wasserstein": // a critic's values have no scale
        return false;
    }
  }

  /** What D makes of data and samples, as a part of a sentence that starts with a comma. */
  #logitText({ dReal, dFake }: CollapseLook["scalars"]): string {
    if (dReal === undefined || dFake === undefined) return "";
    if (logitKind(this.#objective) === "margin") {
      const right = 1 / (1 + Math.exp(dFake - dReal));
      return `, D(x) - D(G(z)) is ${
        (dReal - dFake).toFixed(2)
      }, as of a pair ranked correctly with ${(100 * right).toFixed(1)}% certainty`;
    }
    return `, D(x) is ${dReal.toFixed(3)} and D(G(z)) ${dFake.toFixed(3)}`;
  }
}

/**
 * How much samples differ: the root of the variance over samples, averaged over a sample's values.
 * @param values `[n, size]` flat
 */
function spread(values: Float32Array, size: number): number {
  const count = values.length / size;
  let variance = 0;
  for (let i = 0; i < size; i++) {
    let [sum, squares] = [0, 0];
    for (let at = i; at < values.length; at += size) {
      sum += values[at];
      squares += values[at] * values[at];
    }
    variance += Math.max(0, squares / count - (sum / count) ** 2);
  }
  return Math.sqrt(variance / size);
}
