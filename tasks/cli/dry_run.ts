/** What `deno task train --dry-run` shows: the networks, the data that were found, and the plan. */
import type { RunConfig } from "../../src/config/run_config.ts";
import { openDataSource } from "../../src/data/open.ts";
import type { Network } from "../../src/nn/mod.ts";
import { planEvaluation, planText } from "../../src/pipeline/evaluation_plan.ts";
import { planRun } from "../../src/training/schedule.ts";
import { buildTrainingStep } from "../../src/training/step.ts";

/** Prints the plan of a run; nothing is written. @returns the same as JSON */
export async function printPlan(config: RunConfig): Promise<Record<string, unknown>> {
  const data = await openDataSource(config.data);
  const step = buildTrainingStep(config, {
    shape: [...data.shape],
    classCount: data.classNames?.length,
  });
  const evaluation = config.evaluation && planEvaluation(config.evaluation, data);
  const plan = planRun(config, data.count, step.samplesPerStep);
  const state = step.initialState(config.seed);
  const stateBytes = Object.values(state).reduce((sum, { data }) => sum + data.byteLength, 0);
  const flops = stepFlops(config, step.generator, step.discriminator);
  printNetwork("generator", step.generator);
  printNetwork("discriminator", step.discriminator);
  console.log(`data      ${data.description}`);
  console.log(`          ${count(data.count)} samples of [${data.shape.join(", ")}]`);
  console.log(
    `plan      ${count(plan.totalSteps)} steps of ${step.samplesPerStep} samples, ` +
      `${count(plan.stepsPerEpoch)} steps an epoch`,
  );
  console.log(
    `          ${(stateBytes / 1e6).toFixed(1)} MB of weights and optimiser state, ` +
      `about ${(flops / 1e9).toPrecision(3)} GFLOP a step`,
  );
  if (evaluation) console.log(`measures  ${planText(evaluation)}`);
  return {
    data: { name: data.name, count: data.count, shape: data.shape },
    generatorParameters: parameterCount(step.generator),
    discriminatorParameters: parameterCount(step.discriminator),
    totalSteps: plan.totalSteps,
    stateBytes,
    flopsPerStep: flops,
    ...(evaluation ? { evaluation } : {}),
  };
}

function printNetwork(title: string, network: Network): void {
  const rows = network.layers.map(({ name, outputShape, parameterCount }) => [
    name,
    `[${outputShape.join(", ")}]`,
    parameterCount ? count(parameterCount) : "",
  ]);
  const all = [["layer", "output", "parameters"], [
    "input",
    `[${network.spec.inputShape.join(", ")}]`,
    "",
  ]]
    .concat(rows, [["total", "", count(parameterCount(network))]]);
  const widths = [0, 1, 2].map((column) => Math.max(...all.map((row) => row[column].length)));
  console.log(title);
  for (const [layer, output, parameters] of all) {
    console.log(
      `  ${layer.padEnd(widths[0])}  ${output.padEnd(widths[1])}  ${
        parameters.padStart(widths[2])
      }`,
    );
  }
  console.log("");
}

/**
 * Arithmetic of a step: a backward pass costs about twice its forward pass, and half of that where only
 * the gradient of the input is needed. Penalties are not counted.
 */
function stepFlops(config: RunConfig, generator: Network, discriminator: Network): number {
  const forward = (network: Network) => network.layers.reduce((sum, { flops }) => sum + flops, 0);
  const [g, d] = [forward(generator), forward(discriminator)];
  const discriminatorTurn = g + 2 * d * 3; // fakes; reals and fakes, forward and backward
  const generatorTurn = g * 3 + d * 2;
  return config.batchSize * (config.update.discriminatorSteps * discriminatorTurn + generatorTurn);
}

function parameterCount(network: Network): number {
  return network.layers.reduce((sum, { parameterCount }) => sum + parameterCount, 0);
}

function count(value: number): string {
  return value.toLocaleString("en");
}
