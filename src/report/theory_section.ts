/** The parts of report.md that hold a run against theory: divergences for 1-D data, modes for 2-D data. */
import { formatInteger, formatNumber, formatPercent } from "../text.ts";
import type { LineTheory } from "../metrics/line_theory.ts";
import type { ModeCoverage } from "../metrics/modes.ts";
import { markdownTable } from "./markdown.ts";

/** What was measured of a 1-D run, beside what the optimum of training has. */
export function lineTheorySection(theory: LineTheory): string {
  const optimum = `\u2212log 4 = ${formatNumber(-Math.log(4))}`;
  const nats = (value: number): string => `${formatNumber(value)} nats`;
  const ofDiscriminator = Number.isNaN(theory.value) ? [] : [
    ["V(G, D), the trained discriminator", formatNumber(theory.value), optimum],
    ["\u2212log 4 + 2 JSD, the best discriminator", formatNumber(theory.valueAtOptimum), optimum],
    ["accuracy of D", formatPercent(theory.accuracy), "50.0%"],
    ["mean D(x), real samples", formatNumber(theory.meanReal), "0.5"],
    ["mean D(G(z)), generated samples", formatNumber(theory.meanFake), "0.5"],
  ];
  const rows = [
    ["KL(p_data \u2016 p_g)", nats(theory.kl), "0"],
    ["KL(p_g \u2016 p_data)", nats(theory.reverseKl), "0"],
    ["JSD(p_data \u2016 p_g)", nats(theory.jsd), "0"],
    ["Wasserstein-1 distance", formatNumber(theory.wasserstein), "0"],
    ...ofDiscriminator,
  ];
  const { range: [low, high], bins } = theory.binning;
  return [
    "## Against theory",
    markdownTable(["measure", ">this run", ">at the optimum"], rows),
    ...(ofDiscriminator.length ? [discriminatorRemark(theory)] : []),
    `Estimated from ${formatInteger(theory.count)} samples in ${bins} bins over [${
      formatNumber(low)
    }, ` +
    `${formatNumber(high)}]; ${
      formatPercent(theory.outside)
    } of the samples lie outside. Counting noise alone ` +
    `gives a perfect generator a JSD of up to ${
      formatNumber(theory.jsdFloor)
    } nats, so nothing below that ` +
    `can be told from 0.`,
  ].join("\n\n");
}

/** How much of what there is to see the trained discriminator sees. */
function discriminatorRemark({ value, valueAtOptimum, jsd, jsdFloor }: LineTheory): string {
  const rule =
    "For a given generator the best discriminator, D* = p_data / (p_data + p_g), reaches " +
    "V(G, D*) = \u2212log 4 + 2 JSD, and no other does better.";
  if (jsd < 2 * jsdFloor) {
    return `${rule} Here 2 JSD is no more than counting noise: there is nothing left to see.`;
  }
  const seen = 1 - (valueAtOptimum - value) / (2 * jsd);
  const share = seen < 0.05
    ? "next to nothing"
    : seen > 0.95
    ? "all"
    : `${Math.round(100 * seen)}%`;
  return `${rule} The trained one sees ${share} of the difference that is left.`;
}

/** Mode coverage of a 2-D run. */
export function modesSection(modes: ModeCoverage & { samples: number }): string {
  const smallest = Math.min(...modes.counts);
  const largest = Math.max(...modes.counts);
  const rows = [
    ["modes covered", `${modes.covered} of ${modes.total}`, `${modes.total} of ${modes.total}`],
    ["high-quality samples", formatPercent(modes.highQuality), formatPercent(1 - Math.exp(-4.5))],
    ["JSD of the shares of the modes and of strays", `${formatNumber(modes.jsd)} nats`, "0"],
    ["reverse KL of the mode histogram", `${formatNumber(modes.reverseKl)} nats`, "0"],
    [
      "samples of a mode, fewest to most",
      `${formatInteger(smallest)} to ${formatInteger(largest)}`,
      `about ${formatInteger(modes.samples / modes.total)}`,
    ],
  ];
  return [
    "## Modes",
    markdownTable(["measure", ">this run", ">a perfect generator"], rows),
    `Of ${
      formatInteger(modes.samples)
    } samples. A sample has high quality if it lies within 3 sigma of ` +
    "its nearest mode, a mode counts with one such sample, and the histogram of the reverse KL holds the " +
    "high-quality samples (Lin et al., PacGAN, 2018).",
  ].join("\n\n");
}
