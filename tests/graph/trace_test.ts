import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { tf } from "../../src/tensor/tf.ts";
import type { TensorMap, TensorSpec } from "../../src/tensor/types.ts";
import { UserError } from "../../src/errors.ts";
import { LOWERING_RULES } from "../../src/graph/lower/lower.ts";
import { SHAPE_RULES, traceableKernels } from "../../src/graph/trace/shape_rules.ts";
import { findGraphDifference, traceFunction, traceTwice } from "../../src/graph/trace/trace.ts";
import { normal } from "../export/support.ts";

const x: Record<string, TensorSpec> = { x: { shape: [2, 3], dtype: "float32" } };

function kernels(fn: (inputs: TensorMap) => TensorMap, options = {}): string[] {
  return traceFunction(fn, x, options).nodes.map(({ kernel }) => kernel);
}

await tf.setBackend("cpu");

Deno.test("traceFunction() records kernels, gradients included, and changes nothing outside", () => {
  const before = tf.memory().numTensors;
  const w = normal([3, 4]);
  const graph = traceFunction(({ x }) => {
    const [dx] = tf.grads((x) => tf.sum(tf.tanh(tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D))))([
      x,
    ]);
    return { dx };
  }, x);
  assertEquals(graph.nodes.filter(({ kernel }) => kernel === "BatchMatMul").length, 2);
  assertEquals(graph.outputs[0].name, "dx");
  assertEquals(graph.outputs[0].value.shape, [2, 3]);
  assertEquals(tf.getBackend(), "cpu");
  assertEquals(w.dataSync().length, 12); // still there, although gradients saved and freed copies
  w.dispose();
  assertEquals(tf.memory().numTensors, before);
});

Deno.test("traceFunction() names random draws in the order in which they are made", () => {
  const graph = traceFunction((_, random) => ({
    a: tf.add(random.normal([2]), random.uniform([2])),
  }), {});
  assertEquals(
    graph.inputs.map(({ name, kind, distribution }) => ({ name, kind, distribution })),
    [
      { name: "random_0", kind: "random", distribution: "normal" },
      { name: "random_1", kind: "random", distribution: "uniform" },
    ],
  );
});

Deno.test("traceFunction() computes what depends on constants alone", () => {
  assertEquals(kernels(({ x }) => ({ y: tf.mul(x, tf.sum(tf.square(tf.tensor1d([1, 2])))) })), [
    "Multiply",
  ]);
  const graph = traceFunction(({ x }) => ({ y: tf.mul(x, tf.add(tf.ones([2, 3]), 2)) }), x);
  assertEquals(graph.nodes[0].inputs.b.source, { kind: "fill", value: 3 });
  // Values of constants may be read.
  assertEquals(kernels(({ x }) => ({ y: tf.mul(x, tf.scalar(2).dataSync()[0]) })), ["Multiply"]);
});

Deno.test("traceFunction() leaves out what no output needs and what was computed before", () => {
  const fn = ({ x }: TensorMap) => {
    tf.exp(x);
    return { a: tf.add(tf.sqrt(x), 1), b: tf.add(tf.sqrt(x), 1), c: tf.add(tf.sqrt(x), 2) };
  };
  assertEquals(kernels(fn, { raw: true }).length, 7);
  const graph = traceFunction(fn, x);
  assertEquals(graph.nodes.map(({ kernel }) => kernel), ["Sqrt", "Add", "Add"]);
  assert(graph.outputs[0].value === graph.outputs[1].value);
});

Deno.test("traceFunction() knows the scopes that a person named, and labels of parameters", () => {
  const w = normal([3]);
  const graph = traceFunction(
    ({ x }) => ({ y: tf.tidy("block_1", () => tf.tidy("scale", () => tf.mul(x, w))) }),
    x,
    { labels: { "scale/kernel": w } },
  );
  assertEquals(graph.nodes[0].scope, "block_1/scale");
  const { source } = graph.nodes[0].inputs.b;
  assert(source.kind === "constant" && source.label === "scale/kernel");
});

Deno.test("traceFunction() names what it cannot do and what it can", () => {
  const complex = assertThrows(
    () =>
      kernels(({ x }) => ({
        y: tf.tidy("spectrum", () => tf.real(tf.spectral.fft(tf.complex(x, x)))),
      })),
    UserError,
  );
  assert(
    complex.message.startsWith(
      "Cannot turn TensorFlow.js kernel Complex of spectrum into ONNX; supp",
    ),
    complex.message,
  );
  assert(complex.message.includes("Conv2D, "), complex.message);
  const reading = assertThrows(
    () => kernels(({ x }) => ({ y: tf.scalar(tf.sum(x).arraySync() as number) })),
    UserError,
  );
  assert(reading.message.includes("it asked for the output of Sum"), reading.message);
});

Deno.test("traceTwice() refuses functions that change from run to run", () => {
  const cases: [string, (inputs: TensorMap) => TensorMap][] = [];
  let calls = 0;
  cases.push(["the number of kernels", ({ x }) => ({ y: calls++ % 2 ? tf.neg(x) : x })]);
  cases.push(["output y", ({ x }) => ({ y: calls++ % 2 ? tf.zeros([1]) : tf.sum(x, 0) })]);
  cases.push(["the attributes of kernel 0, Sum", ({ x }) => ({ y: tf.sum(x, calls++ % 2) })]);
  cases.push(["input b of kernel 0, Multiply", ({ x }) => ({ y: tf.mul(x, calls++) })]);
  cases.push(["kernel 0, Exp (Neg", ({ x }) => ({ y: calls++ % 2 ? tf.neg(x) : tf.exp(x) })]);
  for (const [where, fn] of cases) {
    calls = 0;
    const error = assertThrows(() => traceTwice(fn, x), UserError);
    assert(error.message.includes(where) || where === "output y", `${error.message} (${where})`);
  }
});

Deno.test("findGraphDifference() finds nothing between two traces of a pure function", () => {
  const fn = ({ x }: TensorMap) => ({ y: tf.add(tf.exp(x), tf.range(0, 3)) });
  assertEquals(findGraphDifference(traceFunction(fn, x), traceFunction(fn, x)), null);
});

Deno.test("every kernel that can be traced has a lowering rule, and the other way round", () => {
  const madeOfNothing = ["LinSpace", "Range"]; // always constants
  const traceable = Object.keys(SHAPE_RULES).filter((name) => !madeOfNothing.includes(name));
  assertEquals(Object.keys(LOWERING_RULES).sort(), traceable.sort());
});

Deno.test("traceableKernels() are as many as docs/export.md says", async () => {
  const cpu = tf.getKernelsForBackend("cpu").map(({ kernelName }) => kernelName);
  const traceable = traceableKernels();
  const count = cpu.filter((name) => traceable.includes(name)).length;
  const page = await Deno.readTextFile(new URL("../../docs/export.md", import.meta.url));
  assertStringIncludes(page.replace(/\s+/g, " "), `${count} of the ${cpu.length} kernels`);
});
