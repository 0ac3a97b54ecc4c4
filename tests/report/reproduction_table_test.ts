import { assertAlmostEquals, assertEquals } from "@std/assert";
import { PROBLEMS } from "../../src/reproduction/published.ts";
import {
  fullTableText,
  type ReproducedRun,
  reproductionTable,
  spreadOf,
} from "../../src/report/reproduction_table.ts";

const run = (given: Partial<ReproducedRun>): ReproducedRun => ({
  recipe: "gan",
  seed: 0,
  steps: 1000,
  modes: 6,
  highQuality: 0.9,
  kl: 0.5,
  seconds: 20,
  ...given,
});

Deno.test("spreadOf() gives the mean and its standard error", () => {
  const { mean, error } = spreadOf([1, 2, 3, 6]); // deviation sqrt(14 / 3), over sqrt(4)
  assertEquals(mean, 3);
  assertAlmostEquals(error, Math.sqrt(14 / 3) / 2, 1e-12);
  assertEquals(spreadOf([5]), { mean: 5, error: NaN });
});

Deno.test("reproductionTable() puts each recipe and length beside the paper's figures", () => {
  const table = reproductionTable(PROBLEMS.ring, [
    run({}),
    run({ recipe: "best", modes: 8, highQuality: 0.97, kl: null }),
    run({ seed: 1, modes: 8, highQuality: 0.8, kl: 0.3 }),
    run({ steps: 2000 }),
  ]).split("\n");
  assertEquals(table.slice(2), [
    "| GAN | 2 | 1,000 | 7.0 +- 1.0 | 85.0 +- 5.0%, lowest 80.0% | 0.400 +- 0.100 | GAN | 6.3 +- 0.5 | " +
    "98.2 +- 0.2% | 0.45 |",
    "| our recipe | 1 | 1,000 | 8.0 | 97.0% | not known | none |  |  |  |",
    "| GAN | 1 | 2,000 | 6.0 | 90.0% | 0.500 | GAN | 6.3 +- 0.5 | 98.2 +- 0.2% | 0.45 |",
  ]);
});

Deno.test("reproductionTable() has no high quality for stacked digits", () => {
  const [header, , first] = reproductionTable(PROBLEMS["stacked-mnist"], [
    run({ recipe: "pacgan2", modes: 400, highQuality: undefined, kl: 2.5 }),
  ]).split("\n");
  assertEquals(header, "| recipe | seeds | steps | modes of 1000 | KL | published | modes | KL |");
  assertEquals(first, "| PacGAN2 | 1 | 1,000 | 400.0 | 2.500 | PacDCGAN2 | 484.5 | 2.61 |");
});

Deno.test("fullTableText() counts what the full table takes at the speed that was measured", () => {
  const full = [{ recipe: "gan", steps: 400_000 }, { recipe: "best", steps: 3000 }] as const;
  assertEquals(
    fullTableText(PROBLEMS.ring, full, [run({}), run({ recipe: "best", seconds: 10 })]),
    [
      "GAN: 10 seeds of 400,000 steps, at 20.0 ms a step 2.2 h a run, 22.2 h together",
      "our recipe: 10 seeds of 3,000 steps, at 10.0 ms a step 30 s a run, 5:00 together",
      "all of it: 22.3 h",
    ],
  );
  assertEquals(fullTableText(PROBLEMS.ring, full, [run({})]).slice(1), [
    "our recipe: 10 seeds of 3,000 steps",
  ]);
});
