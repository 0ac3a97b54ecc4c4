/** The last lines of `deno task train`: what came out, and where it is. */
import { formatBytes, formatDuration, formatInteger } from "../../src/text.ts";
import { measureText } from "../../src/config/evaluation.ts";
import type { FinishedFiles } from "../../src/pipeline/finish_run.ts";
import type { TrainedRun } from "../../src/pipeline/trained_run.ts";

/** Prints the summary of a run, line by line, with `log`. @returns the same as JSON */
export function summarize(
  run: TrainedRun,
  finished: FinishedFiles,
  log: (line: string) => void,
): Record<string, unknown> {
  const { folder, result } = run;
  const { exported, sampled, sampledOn, report, gif } = finished;
  const { parity } = exported;
  log(
    `trained   ${formatInteger(result.step)} steps in ${formatDuration(result.wallSeconds)}`,
  );
  const { best } = result;
  const isLast = exported.step === result.step;
  if (best) {
    log(
      `best      step ${formatInteger(best.step)}, ${measureText(best.measure, best.value)}` +
        (exported.step === best.step
          ? ""
          : `; export it with deno task export ${folder} --checkpoint best`),
    );
  }
  log(
    `exported  ${exported.path}, ${formatBytes(exported.sizeBytes)}, opset ${exported.opset}` +
      (isLast ? "" : `: the best, of step ${formatInteger(exported.step)}`),
  );
  log(
    `parity    ${parity.count} latents in ${parity.runtime}: largest difference ` +
      `${parity.maxDifference.toExponential(1)}, mean ${parity.meanDifference.toExponential(1)} ` +
      `(allowed ${parity.tolerance.toExponential(1)})`,
  );
  log(`sampled   ${sampled}, by the sampler on ${sampledOn}`);
  const { theory } = report;
  if (theory?.line) {
    const { jsd, kl, value, valueAtOptimum, accuracy } = theory.line;
    const objective = Number.isNaN(value) ? "" : `; V(G, D) ${value.toFixed(4)} beside ` +
      `-log 4 + 2 JSD = ${valueAtOptimum.toFixed(4)}; D is right ${(100 * accuracy).toFixed(1)}%`;
    log(`theory    JSD ${jsd.toFixed(4)} nats, KL ${kl.toFixed(4)}${objective}`);
  }
  if (theory?.modes) {
    const { covered, total, highQuality, reverseKl } = theory.modes;
    log(
      `modes     ${covered} of ${total}, high quality ${(100 * highQuality).toFixed(1)}%, ` +
        `reverse KL ${reverseKl.toFixed(3)}`,
    );
  }
  log(`images    ${[...report.images.slice(0, 1), ...(gif ? [gif] : [])].join(", ")}`);
  log(`report    ${report.path}`);
  log(`again     deno task sample ${folder} --seeds 0,5,10-20`);
  return {
    run: folder,
    step: result.step,
    wallSeconds: result.wallSeconds,
    scalars: result.scalars,
    ...(best ? { best } : {}),
    exportedStep: exported.step,
    generator: exported.path,
    generatorBytes: exported.sizeBytes,
    parity,
    sampled,
    report: report.path,
    ...(theory?.line ? { jsd: theory.line.jsd, kl: theory.line.kl } : {}),
    ...(theory?.modes ? { modes: theory.modes } : {}),
  };
}
