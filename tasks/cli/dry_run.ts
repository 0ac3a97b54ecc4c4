/** What `deno task train --dry-run` shows: the networks, the data that were found, and the plan. */
import { DEFAULTS } from "../../src/config/defaults.ts";
import { formatInteger, formatQuantity } from "../../src/text.ts";
import type { RunConfig } from "../../src/config/run_config.ts";
import { openDataSource, type OpenOptions } from "../../src/data/open.ts";
import { classText } from "../../src/pipeline/data_remarks.ts";
import type { Network } from "../../src/nn/mod.ts";
import { objectives } from "../../src/objectives/objectives.ts";
import { planEvaluation, planText } from "../../src/evaluation/evaluation_plan.ts";
import { planRemark, planRun } from "../../src/training/schedule.ts";
import { buildTrainingStep } from "../../src/training/step.ts";

/** Prints the plan of a run; nothing is written. @returns the same as JSON */
export async function printPlan(
  config: RunConfig,
  options: OpenOptions,
): Promise<Record<string, unknown>> {
  const data = await openDataSource(config.data, options);
  const step = buildTrainingStep(config, {
    shape: [...data.shape],
    classCount: data.classNames?.length,
  });
  data.close?.();
  const evaluation = config.evaluation && planEvaluation(config.evaluation, data);
  const plan = planRun(config, { sampleCount: data.count, samplesPerStep: step.samplesPerStep });
  const state = step.initialState(config.seed);
  const stateBytes = Object.values(state).reduce((sum, { data }) => sum + data.byteLength, 0);
  const flops = stepFlops(config, step.generator, step.discriminator);
  printNetwork("generator", step.generator);
  printNetwork("discriminator", step.discriminator);
  console.log(`data      ${data.description}`);
  const classes = classText(data);
  if (classes) console.log(`classes   ${classes}`);
  for (const note of data.notes ?? []) console.log(`note      ${note}`);
  console.log(`          ${formatInteger(data.count)} samples of [${data.shape.join(", ")}]`);
  console.log(
    `plan      ${formatInteger(plan.totalSteps)} steps of ${step.samplesPerStep} samples, ` +
      `${formatInteger(plan.stepsPerEpoch)} steps an epoch`,
  );
  console.log(
    `          ${formatQuantity(stateBytes, "B")} of weights and optimizer state, ` +
      `about ${formatQuantity(flops, "FLOP")} a step`,
  );
  const remark = planRemark(config, plan);
  if (remark) console.log(`note      ${remark}`);
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

/** Prints a network's layers as a table. */
export function printNetwork(title: string, network: Network): void {
  const rows = network.layers.map(({ name, outputShape, parameterCount }) => [
    name,
    `[${outputShape.join(", ")}]`,
    parameterCount ? formatInteger(parameterCount) : "",
  ]);
  const all = [["layer", "output", "parameters"], [
    "input",
    `[${network.spec.inputShape.join(", ")}]`,
    "",
  ]]
    .concat(rows, [["total", "", formatInteger(parameterCount(network))]]);
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
 * the gradient of the input is needed. A penalty takes that gradient, and goes back through both of its
 * passes; a lazy one counts with its share of the steps.
 */
function stepFlops(config: RunConfig, generator: Network, discriminator: Network): number {
  const { batchSize, objective, pack = 1, update } = config;
  const forward = (network: Network) => network.layers.reduce((sum, { flops }) => sum + flops, 0);
  const [g, d] = [forward(generator), forward(discriminator) / pack];
  const { gradientPenalty, dragan, r1, r2, penaltyEvery = 1 } = objective;
  const penalties = [gradientPenalty, dragan, r1, r2].filter(Boolean).length / penaltyEvery;
  const discriminatorUpdate = g + 2 * d * 3 + penalties * d * 2 * 3; // fakes; reals and fakes, there and back
  const reals = objectives[objective.name].needsRealsForGenerator ? d : 0;
  const generatorUpdate = g * 3 + d * 2 + reals;
  const { discriminatorSteps, generatorSteps = DEFAULTS.generatorSteps } = update;
  return batchSize * (discriminatorSteps * discriminatorUpdate + generatorSteps * generatorUpdate);
}

function parameterCount(network: Network): number {
  return network.layers.reduce((sum, { parameterCount }) => sum + parameterCount, 0);
}
