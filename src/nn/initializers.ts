/** How parameters start: as src/config/layers.ts says, with the same bits on every platform. */
import { elementCount } from "../bytes.ts";
import type { InitializerSpec } from "../config/network.ts";
import type { HostTensor, HostTensors } from "../tensor/types.ts";
import { fillNormal, fillUniform, STREAMS } from "../random/counter_random.ts";
import type { Network, Parameter, ParameterInit } from "./types.ts";

/** How many inputs an output sums over, and how many outputs an input reaches. */
export interface Fans {
  /** Terms of the sum behind one output. */
  fanIn: number;
  /** Sums that one input is a term of. */
  fanOut: number;
}

/** How a layer's weight and bias start. */
export function weightInit(
  spec: InitializerSpec,
  { fanIn, fanOut }: Fans,
): { kernel: ParameterInit; bias: ParameterInit } {
  const bias: ParameterInit = { kind: "constant", value: 0 };
  if (typeof spec === "object") return { kernel: { kind: "normal", sigma: spec.normal }, bias };
  switch (spec) {
    case "torch": {
      const init: ParameterInit = { kind: "uniform", limit: 1 / Math.sqrt(fanIn) };
      return { kernel: init, bias: init };
    }
    case "glorot-uniform":
      return { kernel: { kind: "uniform", limit: Math.sqrt(6 / (fanIn + fanOut)) }, bias };
    case "he-normal":
      return { kernel: { kind: "normal", sigma: Math.sqrt(2 / fanIn) }, bias };
    case "zeros":
      return { kernel: { kind: "constant", value: 0 }, bias };
  }
}

/**
 * A network's first parameters. Each parameter draws from a stream of its own, addressed by the seed
 * and its number, so adding a layer at the end changes none before it.
 * @param firstIndex the number of the first parameter: give a second network of the same seed the
 *   first one's count, or the two would start from the same values
 */
export function initialParameters(network: Network, seed: number, firstIndex = 0): HostTensors {
  return Object.fromEntries(
    network.parameters.map((parameter, index) => [
      parameter.name,
      initialParameter(parameter, seed, firstIndex + index),
    ]),
  );
}

function initialParameter({ shape, init }: Parameter, seed: number, index: number): HostTensor {
  const data = new Float32Array(elementCount(shape));
  const address = { seed, stream: STREAMS.initializer, step: index };
  switch (init.kind) {
    case "constant":
      data.fill(init.value);
      break;
    case "uniform":
      fillUniform(data, address);
      for (let i = 0; i < data.length; i++) data[i] = (2 * data[i] - 1) * init.limit;
      break;
    case "normal":
      fillNormal(data, address);
      for (let i = 0; i < data.length; i++) data[i] *= init.sigma;
      break;
    case "unit-vector": {
      fillNormal(data, address);
      const length = Math.sqrt(data.reduce((sum, value) => sum + value * value, 0));
      for (let i = 0; i < data.length; i++) data[i] /= length;
      break;
    }
  }
  return { shape: [...shape], dtype: "float32", data };
}
