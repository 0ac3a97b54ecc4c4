/**
 * The sentence that ends an evaluation: how good that is, and beside what. Where its limits lie is our choice,
 * stated in docs/measures.md; the figures above it are what counts.
 */
import { measureFigure, MEASURES } from "../../src/config/evaluation.ts";
import type { Evaluation, FeatureEvaluation } from "../../src/evaluation/evaluation.ts";
import type { ModelEvaluation } from "../../src/evaluation/models/model_evaluation.ts";
import { formatNumber, formatPercent } from "../../src/text.ts";

/** Ratios to the data's own distance, and what is said up to them. */
const LIKENESS: readonly [ratio: number, words: string][] = [
  [1.5, "hardly to be distinguished from the data"],
  [4, "near the data"],
  [15, "clearly different from the data"],
  [Infinity, "far from the data"],
];

/** Less of the data's coverage than this is a lack of variety. */
const FULL_COVERAGE = 0.8;

/** The sentence on a generator of images or points. */
export function conclusion(
  { line, modes, features, sliced, memorization }: Evaluation,
): string {
  const parts: string[] = [];
  if (line) {
    const { jsd } = line.generated;
    const own = line.data?.jsd ?? null;
    parts.push(
      `${likeness(jsd, own)}: the Jensen-Shannon divergence is ${formatNumber(jsd)} of at most ` +
        `${formatNumber(Math.LN2)} nats${beside(own, "fresh samples of the density")}`,
    );
  } else if (modes) {
    const { generated, data } = modes;
    const share = data ? generated.highQuality / data.highQuality : generated.highQuality;
    const all = generated.covered === generated.total;
    parts.push(
      `${all ? "all" : generated.covered === 0 ? "none" : "not all"} of the modes are covered ` +
        `(${generated.covered} of ${generated.total}), and ${
          formatPercent(generated.highQuality)
        } of ` +
        `the samples are near one${
          data ? `, beside ${formatPercent(data.highQuality)} of fresh samples of the density` : ""
        }${share < 0.9 ? ": many lie between modes" : ""}`,
    );
  } else if (features.length > 0) {
    // Whoever sees the difference best, counts.
    const { extractor, figures: { generated, data } } = features.toSorted((a, b) =>
      ratioOf(b) - ratioOf(a)
    )[0];
    const own = data?.frechet ?? null;
    parts.push(
      `${likeness(generated.frechet, own)}: the Frechet distance of ${extractor} is ` +
        `${formatNumber(generated.frechet)}${beside(own, "one half of the data to the other")}`,
    );
    const { coverage } = generated.manifold;
    if (data && coverage < FULL_COVERAGE * data.manifold.coverage) {
      parts.push(
        `a part of the variety is missing (coverage ${formatNumber(coverage)} of ${
          formatNumber(data.manifold.coverage)
        })`,
      );
    }
  } else if (sliced) {
    const { generated, data } = sliced.figures;
    parts.push(
      `${likeness(generated, data)}: the sliced Wasserstein distance is ${formatNumber(generated)}${
        beside(data, "one half of the data to the other")
      }`,
    );
  }
  if (memorization && memorization.copies > 0.05) {
    parts.push(
      `${
        formatPercent(memorization.copies)
      } of the samples are as near to a training sample as copies are ` +
        "(1% would be chance)",
    );
  }
  return parts.join("; ") || "nothing to compare with was measured";
}

/** The sentence on a model of several networks: its first measure that has something beside it. */
export function modelConclusion({ measures }: ModelEvaluation): string {
  const main = measures.find(({ beside }) => Object.keys(beside).length > 0);
  if (!main) return "there is nothing to compare the figures with";
  const { title, better } = MEASURES[main.name];
  const value = main.value ?? Infinity;
  const text = (figure: number | null) =>
    figure === null ? "infinity" : measureFigure(main.name, figure);
  const others = Object.entries(main.beside).map(([what, figure]) => {
    const other = figure ?? Infinity;
    const order = value === other
      ? "as good as"
      : (value > other) === (better === "higher")
      ? "better than"
      : "worse than";
    return `${order} ${what} (${text(figure)})`;
  });
  return `${title} is ${text(main.value)}, ${others.join(", ")}; ${better} is better`;
}

function likeness(figure: number, own: number | null): string {
  if (own === null || !(own > 0)) return "beside nothing, as the data were not measured";
  return LIKENESS.find(([ratio]) => figure / own <= ratio)?.[1] ?? LIKENESS.at(-1)![1];
}

function ratioOf({ figures: { generated, data } }: FeatureEvaluation): number {
  return data ? generated.frechet / data.frechet : 0;
}

function beside(own: number | null, what: string): string {
  return own === null ? "" : `, beside ${formatNumber(own)} of ${what}`;
}
