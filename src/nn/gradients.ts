/** Gradients with respect to named parameters. */
import { withoutTape } from "../tensor/tape.ts";
import { tf } from "../tensor/tf.ts";
import type { TensorMap } from "../tensor/types.ts";

/** Tensors in a structure of plain objects; a field may be absent. */
export type TensorTree = { readonly [name: string]: tf.Tensor | TensorTree | undefined };

/** What {@linkcode valueAndGradients} returns. */
export interface ValueAndGradients<Aux extends TensorTree> {
  /** The loss function's value. */
  loss: tf.Scalar;
  /** One for each parameter, zero where the loss does not depend on it. */
  grads: TensorMap;
  /** What `lossFn` returned besides the loss, without gradients of its own. */
  aux: Aux;
}

/**
 * The loss at `params`, its gradients, and whatever else the loss function returns.
 *
 * Nothing leaks: all tensors in between are gone on return, and the returned ones belong to the
 * enclosing `tf.tidy`, or to the caller where there is none.
 */
export function valueAndGradients<Aux extends TensorTree>(
  lossFn: (params: TensorMap) => { loss: tf.Scalar; aux: Aux },
  params: TensorMap,
): ValueAndGradients<Aux> {
  const names = Object.keys(params);
  const held: tf.Tensor[] = [];
  let kept = undefined as Aux | undefined;
  try {
    const { value, grads } = tf.engine().gradients(
      () => {
        const { loss, aux } = lossFn(params);
        // The scope that ends here disposes of everything but the loss: carry aux past its end.
        kept = mapTree(aux, (tensor) => {
          const copy = tf.keep(withoutTape(() => tensor.clone()));
          held.push(copy);
          return copy;
        });
        return loss;
      },
      names.map((name) => params[name]),
      undefined,
      true,
    );
    return {
      loss: value as tf.Scalar,
      grads: Object.fromEntries(
        names.map((name, index) => [name, grads[index] ?? tf.zerosLike(params[name])]),
      ),
      aux: mapTree(kept!, (tensor) => withoutTape(() => tensor.clone())),
    };
  } finally {
    tf.dispose(held);
  }
}

/** The same structure with other tensors. */
function mapTree<Tree extends TensorTree>(
  tree: Tree,
  change: (tensor: tf.Tensor) => tf.Tensor,
): Tree {
  const mapped: Record<string, tf.Tensor | TensorTree | undefined> = {};
  for (const [name, value] of Object.entries(tree)) {
    if (value === undefined) mapped[name] = undefined;
    else mapped[name] = value instanceof tf.Tensor ? change(value) : mapTree(value, change);
  }
  return mapped as Tree;
}
