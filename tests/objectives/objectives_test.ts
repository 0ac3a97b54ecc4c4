import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import type { ObjectiveName } from "../../src/config/objective.ts";
import { tf } from "../../src/tensor/tf.ts";
import { UserError } from "../../src/errors.ts";
import { valueAndGradients } from "../../src/nn/mod.ts";
import { objectives } from "../../src/objectives/objectives.ts";
import {
  assertAllMatch,
  readGolden,
  type Summaries,
  testOnBackends,
  uniformAt,
  valuesOf,
} from "../nn/golden.ts";

interface ObjectiveCase {
  objective: ObjectiveName;
  scale: number;
  realLabel: number;
  discriminatorLoss: number;
  discriminatorGradients: Summaries;
  generatorLoss: number;
  generatorGradients: Summaries;
}

for (const golden of readGolden<ObjectiveCase>("objectives")) {
  const { objective, scale, realLabel } = golden;
  const title = `${objective}, logits within ${scale / 2}, real label ${realLabel}`;
  testOnBackends(`objectives give PyTorch's losses and gradients: ${title}`, async () => {
    const logits = (stream: number): tf.Tensor =>
      tf.tensor(uniformAt([7, 1], stream, 0, -0.5).map((value) => value * scale), [7, 1]);
    const losses = objectives[objective];
    const both = { real: logits(0), fake: logits(1) };
    const d = valueAndGradients(({ real, fake }) => ({
      loss: losses.discriminatorLoss({ real, fake, realLabel }),
      aux: {},
    }), both);
    const near = (actual: number, expected: number, what: string): void =>
      assertAlmostEquals(actual, expected, 1e-5 * Math.max(1, Math.abs(expected)), what);
    near((await d.loss.data())[0], golden.discriminatorLoss, "discriminator loss");
    assertAllMatch(
      await valuesOf(d.grads),
      golden.discriminatorGradients,
      "discriminator gradient",
    );
    const g = valueAndGradients(({ real, fake }) => ({
      loss: losses.generatorLoss({ real, fake }),
      aux: {},
    }), both);
    near((await g.loss.data())[0], golden.generatorLoss, "generator loss");
    const seen = Object.keys(golden.generatorGradients).map((name) => [name, g.grads[name]]);
    assertAllMatch(
      await valuesOf(Object.fromEntries(seen)),
      golden.generatorGradients,
      "generator gradient",
    );
    tf.dispose([both, d.loss, d.grads, g.loss, g.grads]);
  });
}

/** Losses where D cannot tell reals from fakes: its logit (for least squares its output) is the same on both. */
const ORACLES: [ObjectiveName, logit: number, discriminator: number, generator: number][] = [
  ["minimax", 0, 2 * Math.LN2, -Math.LN2],
  ["non-saturating", 0, 2 * Math.LN2, Math.LN2],
  ["least-squares", 0.5, 0.25, 0.125],
  ["hinge", 0, 2, 0],
  ["wasserstein", 0, 0, 0],
  ["relativistic", 0, Math.LN2, Math.LN2],
];

Deno.test("objectives have their known values where the distributions agree", async () => {
  await tf.setBackend("cpu");
  tf.tidy(() => {
    for (const [name, logit, discriminator, generator] of ORACLES) {
      const logits = { real: tf.fill([4, 1], logit), fake: tf.fill([4, 1], logit) };
      const { discriminatorLoss, generatorLoss } = objectives[name];
      assertAlmostEquals(discriminatorLoss(logits).dataSync()[0], discriminator, 1e-6, name);
      assertAlmostEquals(generatorLoss(logits).dataSync()[0], generator, 1e-6, name);
    }
  });
  assertEquals(ORACLES.map(([name]) => name), Object.keys(objectives));
});

Deno.test("minimax discriminator loss is least at D* = p / (p + q), where its value is -ln 4 + 2 JSD", async () => {
  // Three outcomes with p = (.5, .3, .2) and q = (.1, .3, .6), each as its share of 10 samples.
  await tf.setBackend("cpu");
  const p = [0.5, 0.3, 0.2];
  const q = [0.1, 0.3, 0.6];
  const batch = (logits: number[], shares: number[]): tf.Tensor =>
    tf.tensor(logits.flatMap((logit, i) => Array(Math.round(10 * shares[i])).fill(logit)), [10, 1]);
  const lossAt = (logits: number[]): number =>
    tf.tidy(() =>
      objectives.minimax.discriminatorLoss({ real: batch(logits, p), fake: batch(logits, q) })
        .dataSync()[0]
    );
  const optimum = p.map((share, i) => Math.log(share / q[i])); // the logit of p / (p + q)
  const kl = (a: number[], b: number[]): number =>
    a.reduce((sum, share, i) => sum + share * Math.log(share / b[i]), 0);
  const middle = p.map((share, i) => (share + q[i]) / 2);
  const jsd = (kl(p, middle) + kl(q, middle)) / 2;
  const best = lossAt(optimum);
  assertAlmostEquals(-best, -Math.log(4) + 2 * jsd, 1e-6);
  for (let i = 0; i < 3; i++) {
    for (const change of [-0.3, 0.3]) {
      const other = lossAt(optimum.map((logit, j) => (i === j ? logit + change : logit)));
      assertEquals(other > best, true, `logit ${i} changed by ${change}`);
    }
  }
});

Deno.test("cross entropies stay finite, and keep their gradient, at logits of 1000", async () => {
  await tf.setBackend("cpu");
  tf.tidy(() => {
    const fake = tf.tensor([[-1000], [1000]]);
    const gradient = tf.grad((x: tf.Tensor) =>
      objectives["non-saturating"].generatorLoss({ fake: x })
    );
    assertEquals(Array.from(gradient(fake).dataSync(), (value) => value + 0), [-0.5, 0]);
    assertEquals(objectives["non-saturating"].generatorLoss({ fake }).dataSync()[0], 500);
  });
});

Deno.test("discriminatorLoss() refuses a real label where the objective has no target", async () => {
  await tf.setBackend("cpu");
  for (const name of Object.keys(objectives) as ObjectiveName[]) {
    const losses = objectives[name];
    const run = (): void =>
      tf.tidy(() => {
        losses.discriminatorLoss({
          real: tf.zeros([2, 1]),
          fake: tf.zeros([2, 1]),
          realLabel: 0.9,
        });
      });
    if (losses.hasRealLabel) run();
    else assertThrows(run, UserError, `Cannot use realLabel 0.9 with the ${name} objective`);
  }
});

Deno.test("relativistic generatorLoss() asks for the reals' logits", () => {
  assertThrows(
    () => objectives.relativistic.generatorLoss({ fake: tf.zeros([2, 1]) }),
    TypeError,
    "needs the logits of reals",
  );
});
