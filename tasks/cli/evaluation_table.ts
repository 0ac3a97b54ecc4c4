/** An evaluation as lines for the terminal: the generator's figures, and beside them the data's own. */
import { formatInteger, formatNumber, formatPercent } from "../../src/text.ts";
import type {
  ClassEvaluation,
  Evaluation,
  FeatureEvaluation,
} from "../../src/evaluation/evaluation.ts";

/** A figure's name, the generator's value and the data's. */
type Row = [name: string, generated: string, data?: string];

/** The tables, the warnings last. */
export function evaluationLines(evaluation: Evaluation): string[] {
  const { samples, line, modes, features, classes, sliced, memorization, warnings } = evaluation;
  const lines: string[] = [];
  const add = (title: string, rows: Row[]) => lines.push(...table(title, rows), "");
  if (line) {
    const row = (name: string, key: keyof typeof line.generated): Row => [
      name,
      formatNumber(line.generated[key]),
      formatNumber(line.data![key]),
    ];
    add("the line, against the exact density", [
      row("KL(data || generated), nats", "kl"),
      row("KL(generated || data), nats", "reverseKl"),
      row("Jensen-Shannon divergence, nats", "jsd"),
      row("Wasserstein-1 distance", "wasserstein"),
    ]);
  }
  if (modes) {
    const { generated, data } = modes;
    add(`modes, within 3 sigma of ${formatNumber(modes.sigma)}`, [
      ["modes covered", ...both([generated, data!], (m) => `${m.covered} of ${m.total}`)],
      ["high-quality samples", ...both([generated, data!], (m) => formatPercent(m.highQuality))],
      ["reverse KL, nats", ...both([generated, data!], (m) => formatNumber(m.reverseKl))],
      ["JSD of modes and strays, nats", ...both([generated, data!], (m) => formatNumber(m.jsd))],
    ]);
  }
  for (const each of features) {
    const title = `${each.extractor}, ${formatInteger(each.dimensions)} ${
      each.dimensions === 1 ? "feature" : "features"
    }: ${each.description}`;
    add(title, featureRows(each));
  }
  if (classes) add(`classes, as ${classes.classifier} sees them`, classRows(classes));
  const others: Row[] = [];
  if (sliced) {
    others.push([
      "sliced Wasserstein distance",
      formatNumber(sliced.figures.generated),
      formatNumber(sliced.figures.data ?? NaN),
    ]);
  }
  others.push([
    "different samples",
    `${formatInteger(samples.distinct)} of ${formatInteger(samples.count)}`,
  ]);
  if (memorization) {
    others.push(
      ["nearest training sample, ratio of distances", formatNumber(memorization.ratio), "1"],
      ["copies of training samples", formatPercent(memorization.copies), "1.0%"],
    );
  }
  const of = [...new Set([sliced?.of, memorization?.of])].filter((what) => what !== undefined);
  add(of.length ? `likeness: ${of.join("; ")}` : "samples", others);
  if (line || modes || features.length || sliced) lines.push(...explanation(evaluation), "");
  lines.push(...warnings.map((warning) => `warning   ${warning}`));
  while (lines.at(-1) === "") lines.pop();
  return lines;
}

function explanation({ line, modes, features, sliced }: Evaluation): string[] {
  if (line || modes) {
    return ["data: as many fresh samples of the exact density, measured in the same way"];
  }
  const half = features[0]?.counts.half;
  if (!sliced || half === undefined) return [];
  return [`data: one half of the data against the other, ${formatInteger(half)} samples each`];
}

function both<T>(values: [T, T], text: (value: T) => string): [string, string] {
  return [text(values[0]), text(values[1])];
}

function featureRows({ figures, score }: FeatureEvaluation): Row[] {
  const pair = (
    name: string,
    text: (value: typeof figures.generated) => string,
  ): Row => [name, text(figures.generated), figures.data ? text(figures.data) : undefined];
  const rows: Row[] = [
    pair("Frechet distance", ({ frechet }) => formatNumber(frechet)),
    pair(
      "kernel distance x 1000",
      ({ kernel }) => plusMinus(1000 * kernel.mean, 1000 * kernel.deviation),
    ),
    pair(
      `precision, k = ${figures.generated.manifold.k}`,
      (f) => formatNumber(f.manifold.precision),
    ),
    pair("recall", (f) => formatNumber(f.manifold.recall)),
    pair("density", (f) => formatNumber(f.manifold.density)),
    pair("coverage", (f) => formatNumber(f.manifold.coverage)),
  ];
  if (score) {
    rows.push([
      "classifier score",
      plusMinus(score.generated.mean, score.generated.deviation),
      score.data ? plusMinus(score.data.mean, score.data.deviation) : undefined,
    ]);
  }
  return rows;
}

function classRows(classes: ClassEvaluation): Row[] {
  const { covered, total, kl, accuracy, asAsked } = classes;
  const rows: Row[] = [
    ["classes covered", `${covered} of ${total}`],
    ["KL(generated || data), nats", formatNumber(kl ?? Infinity), "0"],
  ];
  if (asAsked !== null) {
    rows.push([
      "samples of the class that was asked for",
      formatPercent(asAsked),
      formatPercent(accuracy),
    ]);
  }
  rows.push(["classifier's accuracy, held-out images", "", formatPercent(accuracy)]);
  return rows;
}

/** Such as `4.86 +- 0.75`, with as many digits as the deviation has. */
function plusMinus(mean: number, deviation: number): string {
  if (!(deviation > 0)) return formatNumber(mean);
  const digits = Math.max(0, Math.min(6, 1 - Math.floor(Math.log10(deviation))));
  return `${mean.toFixed(digits).replace("-", "\u2212")} +- ${deviation.toFixed(digits)}`;
}

function table(title: string, rows: Row[]): string[] {
  const width = Math.max(44, ...rows.map(([name]) => name.length));
  const column = Math.max(
    16,
    ...rows.flatMap(([, ...cells]) => cells.map((cell = "") => cell.length)),
  );
  const hasData = rows.some(([, , data]) => data !== undefined);
  const row = (name: string, generated: string, data: string): string =>
    `  ${name.padEnd(width)}${generated.padStart(column)}${
      hasData ? data.padStart(column + 2) : ""
    }`.trimEnd();
  return [
    title,
    row("", "generated", "data"),
    ...rows.map(([name, generated, data = ""]) => row(name, generated, data)),
  ];
}
