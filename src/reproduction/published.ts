/**
 * The published tables that ganforge reproduces: for each problem the figures that the papers give for each
 * recipe. `docs/REPRODUCTION.md` holds our results.
 */

/** A table: modes of a ring, of a grid, or of three digits at once. */
export type ProblemName = "ring" | "grid" | "stacked-mnist";

/** How to train for a table. */
export type RecipeName = "gan" | "pacgan2" | "pacgan4" | "best";

/** A figure of a paper: a mean over runs, and its standard error where the paper gives one. */
export interface PublishedFigure {
  /** Mean over the paper's runs. */
  mean: number;
  /** Its standard error. */
  error?: number;
}

/** A row of a published table. */
export interface PublishedRow {
  /** What it is called there. */
  label: string;
  /** Modes that were found. */
  modes: PublishedFigure;
  /** Share of samples near a mode; the tables of images have none. */
  highQuality?: PublishedFigure;
  /** KL of the generated modes from the data's, nats. */
  kl: PublishedFigure;
}

/** A table to train again. */
export interface Problem {
  name: ProblemName;
  /** Its heading. */
  title: string;
  /** All modes. */
  modes: number;
  /** Where the published figures come from, and what they were measured on. */
  source: string;
  /** The figures that the papers give for a recipe, if any. */
  published: Partial<Record<RecipeName, PublishedRow>>;
  /** Independent runs of the published table. */
  fullSeeds: number;
}

const MIXTURE_SOURCE =
  "Lin et al. 2018 (PacGAN), Table 1: mean and standard error of 10 runs of 400 epochs, 2,500 samples";

/** A figure with its standard error. */
const row = (
  label: string,
  [modes, modesError]: [number, number?],
  kl: number,
  quality?: [number, number],
): PublishedRow => ({
  label,
  modes: figure(modes, modesError),
  kl: figure(kl),
  ...(quality ? { highQuality: figure(quality[0] / 100, quality[1] / 100) } : {}),
});

function figure(mean: number, error?: number): PublishedFigure {
  return error === undefined ? { mean } : { mean, error };
}

/** Every table, by name. */
export const PROBLEMS: Readonly<Record<ProblemName, Problem>> = {
  "ring": {
    name: "ring",
    title: "2-D ring: 8 Gaussians of deviation 0.01 on a circle of radius 1",
    modes: 8,
    source: MIXTURE_SOURCE,
    fullSeeds: 10,
    published: {
      gan: row("GAN", [6.3, 0.5], 0.45, [98.2, 0.2]),
      pacgan2: row("PacGAN2", [7.9, 0.1], 0.07, [95.6, 2.0]),
      pacgan4: row("PacGAN4", [7.8, 0.1], 0.07, [95.9, 1.4]),
    },
  },
  "grid": {
    name: "grid",
    title: "2-D grid: 25 Gaussians of deviation 0.05 at {-4, -2, 0, 2, 4}^2",
    modes: 25,
    source: MIXTURE_SOURCE,
    fullSeeds: 10,
    published: {
      gan: row("GAN", [17.3, 0.8], 0.70, [94.8, 0.7]),
      pacgan2: row("PacGAN2", [23.8, 0.7], 0.13, [91.3, 0.8]),
      pacgan4: row("PacGAN4", [24.8, 0.2], 0.04, [93.6, 0.6]),
    },
  },
  "stacked-mnist": {
    name: "stacked-mnist",
    title: "Stacked MNIST: three digits as the channels of one image, tiny networks",
    modes: 1000,
    source:
      "Lin et al. 2018 (PacGAN), tiny DCGANs on MNIST's digits; beside our recipe RpGAN + R1 + R2 of " +
      "Huang et al. 2024 (R3GAN), whose networks are larger; 25,600 samples",
    fullSeeds: 10,
    published: {
      gan: row("DCGAN", [78.5, 17.6], 5.21),
      pacgan2: row("PacDCGAN2", [484.5], 2.61),
      pacgan4: row("PacDCGAN4", [667.4], 1.81),
      best: row("RpGAN + R1 + R2", [1000], 0.078),
    },
  },
};
