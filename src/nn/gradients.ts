/** Gradients with respect to named parameters. */
import { withoutTape } from "../tensor/tape.ts";
import { tf } from "../tensor/tf.ts";
import type { TensorMap } from "../tensor/types.ts";

/** What {@linkcode valueAndGradients} returns. */
export interface ValueAndGradients {
  /** The loss function's value. */
  loss: tf.Scalar;
  /** One for each parameter, zero where the loss does not depend on it. */
  grads: TensorMap;
  /** What `lossFn` gave, without gradients of its own. */
  aux: TensorMap;
}

/**
 * The loss at `params`, its gradients, and whatever else the loss function wants to hand out.
 *
 * Nothing leaks: all tensors in between are gone on return, and the returned ones belong to the
 * enclosing `tf.tidy`, or to the caller where there is none.
 */
export function valueAndGradients(
  lossFn: (params: TensorMap) => { loss: tf.Scalar; aux: TensorMap },
  params: TensorMap,
): ValueAndGradients {
  const names = Object.keys(params);
  const kept: TensorMap = {};
  try {
    const { value, grads } = tf.engine().gradients(
      () => {
        const { loss, aux } = lossFn(params);
        // The scope that ends here disposes of everything but the loss: carry aux past its end.
        for (const [name, tensor] of Object.entries(aux)) {
          kept[name] = tf.keep(withoutTape(() => tensor.clone()));
        }
        return loss;
      },
      names.map((name) => params[name]),
      undefined,
      true,
    );
    const mapped = (f: (name: string, index: number) => tf.Tensor): [string, tf.Tensor][] =>
      names.map((name, index) => [name, f(name, index)]);
    return {
      loss: value as tf.Scalar,
      grads: Object.fromEntries(mapped((name, i) => grads[i] ?? tf.zerosLike(params[name]))),
      aux: Object.fromEntries(
        Object.entries(kept).map(([name, tensor]) => [name, withoutTape(() => tensor.clone())]),
      ),
    };
  } finally {
    tf.dispose(kept);
  }
}
