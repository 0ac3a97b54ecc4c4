/** The sentence that ends an evaluation. */
import { assertEquals } from "@std/assert";
import type { Evaluation } from "../../src/evaluation/evaluation.ts";
import type { ModelEvaluation } from "../../src/evaluation/models/model_evaluation.ts";
import { conclusion, modelConclusion } from "../../tasks/cli/conclusion.ts";

function images(frechet: number, coverage: number, copies = 0.01): Evaluation {
  const figures = (distance: number, covered: number) => ({
    frechet: distance,
    manifold: { coverage: covered },
  });
  return {
    features: [{
      extractor: "one that sees less",
      figures: { generated: figures(2.1, 0.97), data: figures(2, 0.97) },
    }, {
      extractor: "classifier",
      figures: { generated: figures(frechet, coverage), data: figures(2, 0.97) },
    }],
    memorization: { copies },
  } as unknown as Evaluation;
}

Deno.test("conclusion() says how a generator compares with its data, and what is missing", () => {
  const said = (evaluation: Evaluation) => conclusion(evaluation);
  assertEquals(
    said(images(2.5, 0.95)),
    "hardly to be distinguished from the data: the Frechet distance of classifier is 2.5, beside 2 of " +
      "one half of the data to the other",
  );
  assertEquals(said(images(7, 0.9)).split(":")[0], "near the data");
  assertEquals(said(images(20, 0.9)).split(":")[0], "clearly different from the data");
  assertEquals(
    said(images(100, 0.3, 0.4)),
    "far from the data: the Frechet distance of classifier is 100, beside 2 of one half of the data to the " +
      "other; a part of the variety is missing (coverage 0.3 of 0.97); 40.0% of the samples are as near to a " +
      "training sample as copies are (1% would be chance)",
  );
  const modes = (covered: number, highQuality: number) =>
    ({
      features: [],
      modes: { generated: { covered, total: 8, highQuality }, data: { highQuality: 0.99 } },
    }) as unknown as Evaluation;
  assertEquals(
    said(modes(8, 0.98)),
    "all of the modes are covered (8 of 8), and 98.0% of the samples are near one, beside 99.0% of fresh samples of the " +
      "density",
  );
  assertEquals(
    said(modes(5, 0.5)),
    "not all of the modes are covered (5 of 8), and 50.0% of the samples are near one, beside 99.0% of fresh samples of " +
      "the density: many lie between modes",
  );
  const line = { features: [], line: { generated: { jsd: 0.5 }, data: { jsd: 0.002 } } };
  assertEquals(
    said(line as unknown as Evaluation),
    "far from the data: the Jensen-Shannon divergence is 0.5 of at most 0.6931 nats, beside 0.002 of fresh samples " +
      "of the density",
  );
});

Deno.test("modelConclusion() compares a model's first figure with what stands beside it", () => {
  const model = (beside: Record<string, number | null>, value: number | null = 24) =>
    modelConclusion(
      { measures: [{ name: "psnr", value, beside }] } as unknown as ModelEvaluation,
    );
  assertEquals(
    model({ Lanczos: 22, "data against itself": null }),
    "PSNR is 24, better than Lanczos (22), worse than data against itself (infinity); higher is better",
  );
  assertEquals(model({}), "there is nothing to compare the figures with");
});
