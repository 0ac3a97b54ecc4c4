/**
 * What a traced function must not do, refused when it does it. TensorFlow.js' own classes
 * are patched while the trace runs, and restored when it ends.
 */
import { tf } from "../../tensor/tf.ts";
import { UserError } from "../../errors.ts";

/** A method that is replaced while a trace runs. */
interface Guard {
  // deno-lint-ignore no-explicit-any -- methods of several classes
  prototype: any;
  method: string;
  /** The error for a call. */
  refuse(self: { name?: string }): UserError;
}

const predictError = ({ name }: { name?: string }) =>
  new UserError(
    `Cannot trace a function that calls predict of model ${name}: predict cuts batches on the host; use ` +
      "model.apply(x) in the function, or pass the model itself",
  );

const GUARDS: Guard[] = [
  {
    // A variable that was assigned would keep a tensor of the trace, and the model would be lost.
    prototype: tf.Variable.prototype,
    method: "assign",
    refuse: ({ name = "" }) =>
      new UserError(
        `Cannot trace a function that changes its model: ${
          layerOf(name)
        } updates its variable ${name}, ` +
          "as batch norm with training: true does; apply it with training: false",
      ),
  },
  { prototype: tf.LayersModel.prototype, method: "predict", refuse: predictError },
  { prototype: tf.LayersModel.prototype, method: "predictOnBatch", refuse: predictError },
];

/** The layer of a variable such as `batch_norm_1/moving_mean`. */
function layerOf(variable: string): string {
  const slash = variable.lastIndexOf("/");
  return slash > 0 ? `layer ${variable.slice(0, slash)}` : "it";
}

/** Runs `body` with the guards on. */
export function withGuards<Result>(body: () => Result): Result {
  const originals = GUARDS.map(({ prototype, method, refuse }) => {
    const original = prototype[method];
    prototype[method] = function (this: { name?: string }) {
      throw refuse(this);
    };
    return original;
  });
  try {
    return body();
  } finally {
    GUARDS.forEach(({ prototype, method }, index) => prototype[method] = originals[index]);
  }
}
