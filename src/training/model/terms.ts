/** The losses of a model's updates. */
import { objectives } from "../../objectives/objectives.ts";
import { gradientPenalty } from "../../objectives/penalties.ts";
import { tf } from "../../tensor/tf.ts";
import type { StepRandom } from "../../tensor/types.ts";
import type { ConditionedChoice, TermSpec } from "../../config/model.ts";
import type { StepValues } from "./values.ts";

/** The term without its weight, a scalar. */
export function termLoss(term: TermSpec, values: StepValues, random: StepRandom): tf.Scalar {
  switch (term.loss) {
    case "discriminator": {
      const { discriminatorLoss } = objectives[term.objective];
      const real = values.get(term.real);
      const losses = [term.fake].flat().map((fake) =>
        discriminatorLoss({ real, fake: values.get(fake), realLabel: term.realLabel })
      );
      return losses.length === 1
        ? losses[0]
        : tf.div(losses.reduce((sum, loss) => tf.add(sum, loss)), losses.length);
    }
    case "generator":
      return objectives[term.objective].generatorLoss({
        real: term.real === undefined ? undefined : values.get(term.real),
        fake: values.get(term.fake),
      });
    case "l1":
      return tf.mean(tf.abs(tf.sub(values.get(term.of), values.get(term.to))));
    case "l2":
      return tf.mean(tf.squaredDifference(values.get(term.of), values.get(term.to)));
    case "gradient-penalty": {
      const real = values.get(term.real);
      return gradientPenalty((x) => values.apply(term.network, x), {
        real,
        fake: values.get(term.fake),
        share: random.uniform([real.shape[0], ...real.shape.slice(1).map(() => 1)]),
        target: term.target,
      });
    }
    case "condition":
      return conditionLoss(values.get(term.logits), values.get(term.condition), term.choices);
  }
}

/**
 * The mean over the batch of the cross entropy between the chosen column's logits and the category that
 * the condition names; the other columns count nothing (Xu et al. 2019, section 4.3).
 * @param rows `[n, width]` logits of all choices where they stand in a row
 * @param condition `[n, conditionWidth]` one-hot in one column, zero elsewhere
 */
function conditionLoss(
  rows: tf.Tensor,
  condition: tf.Tensor,
  choices: readonly ConditionedChoice[],
): tf.Scalar {
  const count = rows.shape[0];
  const losses = choices.map(({ rowOffset, conditionOffset, size }) => {
    const logits = tf.slice(rows as tf.Tensor2D, [0, rowOffset], [count, size]);
    const wanted = tf.slice(condition as tf.Tensor2D, [0, conditionOffset], [count, size]);
    const normalizer = tf.mul(tf.logSumExp(logits, 1), tf.sum(wanted, 1)); // 0 in other columns
    return tf.sub(normalizer, tf.sum(tf.mul(logits, wanted), 1));
  });
  return tf.mean(losses.reduce((sum, loss) => tf.add(sum, loss)));
}
