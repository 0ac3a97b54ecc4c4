/**
 * Steps that are not pure are refused by both compiling engines, which run a step twice and compare: by
 * replaying or tracing one of the two runs they would compute something else than the step says.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { UserError } from "../../src/errors.ts";
import { createOnnxEngine } from "../../src/engine/onnx/mod.ts";
import { tf } from "../../src/tensor/tf.ts";
import type { Engine, StepFunction } from "../../src/engine/types.ts";
import type { HostTensors } from "../../src/tensor/types.ts";
import { openWebGpu } from "../../src/engine/webgpu/device.ts";
import { createWebGpuEngine } from "../../src/engine/webgpu/engine.ts";

/** Gives a step that does one thing in its odd runs and another in its even ones. */
function flipping(odd: StepFunction, even: StepFunction): StepFunction {
  let runs = 0;
  return (...given) => (++runs % 2 === 1 ? odd : even)(...given);
}

/** A step that adds something to `a`. */
const adding = (term: (a: tf.Tensor) => tf.Tensor | number): StepFunction => ({ a, b }) => ({
  state: { a: tf.add(a, term(a)), b },
  scalars: {},
});

const both: StepFunction = ({ a, b }) => ({
  state: { a: tf.exp(a), b: tf.tanh(b) },
  scalars: { x: tf.sum(a), y: tf.sum(b) },
});

/** By what differs; with the words that name it, of the ONNX and of the WebGPU engine. */
const IMPURE: Record<string, [StepFunction, onnx: string, webgpu: string]> = {
  "random numbers of the host": [
    adding(() => tf.randomUniform([4])),
    "input b of kernel 0, Add",
    "a tensor of 4 values made on the host differs",
  ],
  "one number of the host": [
    flipping(adding(() => 1), adding(() => 2)),
    "input b of kernel 0, Add",
    'operation 0 is "fill" with other sizes or values',
  ],
  "a parameter of an operation": [
    flipping(adding((a) => tf.leakyRelu(a, 0.1)), adding((a) => tf.leakyRelu(a, 0.2))),
    "the attributes of kernel 0, LeakyRelu",
    'operation 0 is "leakyRelu" with other sizes or values',
  ],
  "the shapes inside": [
    flipping(
      adding((a) => tf.sum(tf.slice(a, 0, 2))),
      adding((a) => tf.sum(tf.slice(a, 0, 3))),
    ),
    "the attributes of kernel 0, Slice",
    'operation 0 is "copy" with other sizes or values',
  ],
  "the work": [
    flipping(adding((a) => tf.exp(a)), adding((a) => tf.exp(tf.tanh(a)))),
    "the number of kernels (2 and 3)",
    "it queues 2 operations the first time and 3 the second",
  ],
  "the draw's distribution": [
    flipping(
      ({ a, b }, _, random) => ({ state: { a: tf.add(a, random.uniform([4])), b }, scalars: {} }),
      ({ a, b }, _, random) => ({ state: { a: tf.add(a, random.normal([4])), b }, scalars: {} }),
    ),
    "the distribution of random_0",
    'operation 0 is "uniform" with other sizes or values',
  ],
  "which tensor becomes which state": [
    flipping(both, (...given) => {
      const { state: { a, b }, scalars } = both(...given);
      return { state: { a: b, b: a }, scalars };
    }),
    "output next/a",
    'its result "state a" is another tensor the second time',
  ],
  "which tensor is a scalar": [
    flipping(both, (...given) => {
      const { state, scalars: { x, y } } = both(...given);
      return { state, scalars: { x: y, y: x } };
    }),
    "output scalar/x",
    'its result "x" is another tensor the second time',
  ],
  "whether there is a scalar": [
    flipping(adding(() => 1), ({ a, b }) => {
      const next = tf.add(a, 1);
      return { state: { a: next, b }, scalars: { x: tf.reshape(tf.slice(next, 0, 1), []) } };
    }),
    "the number of kernels (1 and 3)",
    "it queues 2 operations the first time and 3 the second",
  ],
  "a scalar's name": [
    flipping(
      ({ a, b }) => ({ state: { a, b }, scalars: { x: tf.sum(a) } }),
      ({ a, b }) => ({ state: { a, b }, scalars: { y: tf.sum(a) } }),
    ),
    "output scalar/x",
    'its result "x" is another tensor the second time',
  ],
};

const start: HostTensors = Object.fromEntries(
  ["a", "b"].map((name, k) => [name, {
    shape: [4],
    dtype: "float32" as const,
    data: Float32Array.of(k, 1, 2, 3),
  }]),
);

const hasAdapter = await openWebGpu() !== undefined;

for (const [what, [step, onnx, webgpu]] of Object.entries(IMPURE)) {
  Deno.test(`a step is refused where two runs of it differ in ${what}`, async () => {
    const engines: Engine[] = [await createOnnxEngine({ runtime: "web", threads: 1 })];
    if (hasAdapter) engines.push(await createWebGpuEngine());
    for (const engine of engines) {
      const error = await assertRejects(
        () => engine.compileStep({ step, inputs: {} }, start, 1),
        UserError,
        "Cannot compile a step that is not a pure function: run twice, it differs",
      );
      const words = engine.name === "webgpu" ? webgpu : onnx;
      assert(error.message.includes(words), `${engine.name}: ${error.message}`);
      await engine.dispose();
    }
    assertEquals(tf.memory().numTensors, 0);
  });
}
