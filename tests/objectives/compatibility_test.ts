import { assertThrows } from "@std/assert";
import type { ObjectiveSpec } from "../../src/config/objective.ts";
import type { LayerSpec } from "../../src/config/network.ts";
import { UserError } from "../../src/errors.ts";
import { buildNetwork } from "../../src/nn/mod.ts";
import { checkObjective } from "../../src/objectives/compatibility.ts";

function discriminator(norm: LayerSpec) {
  const layers: LayerSpec[] = [{ type: "dense", units: 4 }, norm, { type: "dense", units: 1 }];
  return buildNetwork({ inputShape: [2], layers, init: "torch" });
}

const withBatchNorm = discriminator({ type: "batch-norm" });
const withLayerNorm = discriminator({ type: "layer-norm" });

Deno.test("checkObjective() refuses slope penalties over batch norm, and names the layer", () => {
  const penalties: Partial<ObjectiveSpec>[] = [
    { gradientPenalty: { weight: 10 } },
    { dragan: { weight: 10 } },
    { r1: { gamma: 1 } },
    { r2: { gamma: 1 } },
  ];
  for (const penalty of penalties) {
    const spec: ObjectiveSpec = { name: "wasserstein", ...penalty };
    checkObjective(spec, withLayerNorm);
    assertThrows(
      () => checkObjective(spec, withBatchNorm),
      UserError,
      `objective.${
        Object.keys(penalty)[0]
      }: the discriminator's layer batch-norm_1 mixes the samples`,
    );
  }
  checkObjective({ name: "wasserstein", weightClip: 0.01 }, withBatchNorm);
});

Deno.test("checkObjective() refuses a real label where the objective has no target", () => {
  checkObjective({ name: "non-saturating", realLabel: 0.9 }, withBatchNorm);
  assertThrows(
    () => checkObjective({ name: "hinge", realLabel: 0.9 }, withBatchNorm),
    UserError,
    "Cannot train with objective.realLabel 0.9: the hinge objective has no target for reals",
  );
});
