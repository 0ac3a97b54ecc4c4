/** The quality of several recipes over minutes of training: a table, and a plot with error bars. */
import { formatInteger } from "../text.ts";
import { IMAGE_RECIPE_TITLES, type ImageRecipe } from "../reproduction/image_recipes.ts";
import { drawFigure, type Panel } from "./figure.ts";
import { markdownTable } from "./markdown.ts";
import type { Mark } from "./marks.ts";
import { COLORS } from "./theme.ts";

/** Distances between samples and data over one extractor's features. */
export interface QualityFigures {
  frechet: number;
  kernel: { mean: number; deviation: number };
  manifold: { precision: number; recall: number; density: number; coverage: number };
}

/** What the samples of one run at one time came to. */
export interface MeasuredMark {
  recipe: ImageRecipe;
  seed: number;
  /** Seconds of training. */
  seconds: number;
  steps: number;
  /** Real images seen. */
  images: number;
  /** For each extractor. */
  figures: QualityFigures[];
}

/** All that was measured. */
export interface FiguresOverTime {
  /** Their names; the first decides. */
  extractors: string[];
  /** What is to be said about them. */
  remark: string;
  /** One half of the data against the other, for each extractor. */
  reference: QualityFigures[];
  measured: MeasuredMark[];
}

const RECIPE_COLORS: Readonly<Record<ImageRecipe, string>> = {
  "tutorial-pytorch": COLORS.discriminator,
  "tutorial": COLORS.fake,
  "best": COLORS.generator,
};

/** A mean, and the standard deviation with n - 1; NaN for a single value. */
interface Moments {
  mean: number;
  deviation: number;
}

function momentsOf(values: readonly number[]): Moments {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (values.length - 1)) };
}

/** The runs of a recipe, a list of marks in the order of time for each seed. */
function runsOf({ measured }: FiguresOverTime): Map<ImageRecipe, MeasuredMark[][]> {
  const recipes = new Map<ImageRecipe, Map<number, MeasuredMark[]>>();
  for (const mark of measured) {
    const seeds = recipes.get(mark.recipe) ?? new Map<number, MeasuredMark[]>();
    recipes.set(mark.recipe, seeds.set(mark.seed, [...seeds.get(mark.seed) ?? [], mark]));
  }
  return new Map([...recipes].map(([recipe, seeds]) => [recipe, [...seeds.values()]]));
}

/** The table of the last samples of each run: mean and standard deviation over the seeds. */
export function qualityTable(all: FiguresOverTime): string {
  const [first, second] = all.extractors;
  const header = [
    "recipe",
    ">seeds",
    ">minutes",
    ">steps",
    ">images",
    `>Frechet distance, ${first}`,
    ">kernel distance",
    ">precision",
    ">recall",
    ">density",
    ">coverage",
    ...(second === undefined ? [] : [`>Frechet distance, ${second}`]),
  ];
  const cells = (figures: readonly QualityFigures[][]): string[] => {
    const over = (pick: (figures: QualityFigures[]) => number, digits: number) =>
      momentsText(momentsOf(figures.map(pick)), digits);
    return [
      over(([{ frechet }]) => frechet, 3),
      over(([{ kernel }]) => kernel.mean, 4),
      over(([{ manifold }]) => manifold.precision, 3),
      over(([{ manifold }]) => manifold.recall, 3),
      over(([{ manifold }]) => manifold.density, 3),
      over(([{ manifold }]) => manifold.coverage, 3),
      ...(second === undefined ? [] : [over(([, { frechet }]) => frechet, 3)]),
    ];
  };
  const rows = [...runsOf(all)].map(([recipe, runs]) => {
    const last = runs.map((marks) => marks.at(-1)!);
    const mean = (pick: (mark: MeasuredMark) => number) => momentsOf(last.map(pick)).mean;
    return [
      IMAGE_RECIPE_TITLES[recipe],
      String(runs.length),
      (mean(({ seconds }) => seconds) / 60).toFixed(1),
      formatInteger(Math.round(mean(({ steps }) => steps))),
      formatInteger(Math.round(mean(({ images }) => images))),
      ...cells(last.map(({ figures }) => figures)),
    ];
  });
  const data = ["data, one half against the other", "", "", "", "", ...cells([all.reference])];
  return markdownTable(header, [...rows, data]);
}

/**
 * How the other recipes stand to the tutorial in PyTorch, seed by seed: when they reach its last Frechet
 * distance, and what share of it they end at.
 */
export function comparisonLines(all: FiguresOverTime): string[] {
  const runs = runsOf(all);
  const peers = runs.get("tutorial-pytorch") ?? [];
  return [...runs].filter(([recipe]) => recipe !== "tutorial-pytorch").flatMap(([recipe, own]) =>
    own.flatMap((marks) => {
      const peer = peers.find(([{ seed }]) => seed === marks[0].seed)?.at(-1);
      if (!peer) return [];
      const target = peer.figures[0].frechet;
      const reached = marks.find(({ figures: [{ frechet }] }) => frechet <= target);
      const time = reached === undefined
        ? "does not reach the tutorial's last Frechet distance"
        : `reaches the tutorial's last Frechet distance by ${
          (reached.seconds / 60).toFixed(1)
        } minutes, ${percent(reached.seconds / peer.seconds)} of its time`;
      const end = percent(marks.at(-1)!.figures[0].frechet / target);
      return [
        `${IMAGE_RECIPE_TITLES[recipe]}, seed ${marks[0].seed}: ${time}, and ends at ${end} of it`,
      ];
    })
  );
}

/** Frechet distances over minutes, a panel for each extractor: means over seeds, bars of a deviation. */
export function drawQualityPlot(
  all: FiguresOverTime,
  { title, subtitle }: { title: string; subtitle?: string },
): string {
  const longest = Math.max(...all.measured.map(({ seconds }) => seconds)) / 60;
  const panels = all.extractors.map((extractor, index): Panel => {
    const curves = [...runsOf(all)].map(([recipe, runs]) => curveOf(recipe, runs, index));
    const level = all.reference[index].frechet;
    const top = Math.max(
      level,
      ...curves.flatMap(({ means, deviations }) =>
        means.map((mean, i) => mean + (deviations[i] || 0))
      ),
    );
    const marks = curves.flatMap(marksOf);
    marks.push({
      kind: "level",
      y: level,
      color: COLORS.data,
      label: "one half of the data against the other",
    });
    return {
      title: `Frechet distance over ${extractor}, lower is better`,
      x: { label: "minutes of training", domain: [0, 1.02 * longest] },
      y: { label: "Frechet distance", domain: [0, 1.05 * top] },
      marks,
      height: index === 0 ? 280 : 180,
    };
  });
  return drawFigure({ title, subtitle, panels });
}

interface Curve {
  recipe: ImageRecipe;
  minutes: number[];
  means: number[];
  deviations: number[];
}

function curveOf(recipe: ImageRecipe, runs: MeasuredMark[][], extractor: number): Curve {
  const length = Math.min(...runs.map((marks) => marks.length));
  const at = Array.from({ length }, (_, i) => runs.map((marks) => marks[i]));
  const moments = at.map((marks) =>
    momentsOf(marks.map(({ figures }) => figures[extractor].frechet))
  );
  return {
    recipe,
    minutes: at.map((marks) => momentsOf(marks.map(({ seconds }) => seconds)).mean / 60),
    means: moments.map(({ mean }) => mean),
    deviations: moments.map(({ deviation }) => deviation),
  };
}

function marksOf({ recipe, minutes, means, deviations }: Curve): Mark[] {
  const color = RECIPE_COLORS[recipe];
  const bars = means.flatMap((mean, i): Mark[] =>
    Number.isFinite(deviations[i])
      ? [{
        kind: "line",
        x: [minutes[i], minutes[i]],
        y: [mean - deviations[i], mean + deviations[i]],
        color,
        width: 1.2,
      }]
      : []
  );
  return [
    { kind: "line", x: minutes, y: means, color, width: 1.8, label: IMAGE_RECIPE_TITLES[recipe] },
    { kind: "dots", x: minutes, y: means, color, radius: 2.4, opacity: 1 },
    ...bars,
  ];
}

function momentsText({ mean, deviation }: Moments, digits: number): string {
  return mean.toFixed(digits) + (Number.isNaN(deviation) ? "" : ` +- ${deviation.toFixed(digits)}`);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)}%`;
}
