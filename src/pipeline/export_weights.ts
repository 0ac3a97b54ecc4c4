/** Exports a checkpoint's weights as a `.safetensors` file that PyTorch's users load. */
import type { CheckpointChoice } from "../config/evaluation.ts";
import { writeFileAtomically } from "../files.ts";
import { buildNetwork, type Network } from "../nn/mod.ts";
import { readChosenCheckpoint } from "../run/best_checkpoint.ts";
import { readDataRecord } from "../run/data_record.ts";
import { readRunConfig } from "../run/run_folder.ts";
import { encodeSafetensors } from "../run/safetensors.ts";
import { packedShape } from "../objectives/packing.ts";
import { DEFAULTS } from "../config/defaults.ts";
import type { HostTensors } from "../tensor/types.ts";
import { toTorchWeights } from "./torch_weights.ts";

/** A file of weights. */
export interface ExportedWeights {
  /** Where it is. */
  path: string;
  /** Of the checkpoint. */
  step: number;
  /** How many tensors. */
  tensors: number;
  /** Its size. */
  sizeBytes: number;
  /** Whether the generator's are those of the EMA. */
  usesEma: boolean;
}

/**
 * Writes both networks' weights with PyTorch's names and layouts, the generator's from the EMA where the run
 * keeps one. The file's metadata holds both networks' descriptions.
 * @param folder the run's
 * @throws {UserError} when there is no such checkpoint, or the file cannot be written
 */
export async function exportWeights(
  folder: string,
  { out, checkpoint, onWarning }: {
    /** Default: `weights.safetensors` in the run's folder. */
    out?: string;
    checkpoint?: CheckpointChoice | number;
    onWarning?: (message: string) => void;
  } = {},
): Promise<ExportedWeights> {
  const config = await readRunConfig(folder);
  const { state, step } = await readChosenCheckpoint(
    `${folder}/checkpoints`,
    checkpoint ?? config.evaluation?.export ?? "last",
    { onWarning },
  );
  const { classNames } = await readDataRecord(folder);
  const classCount = classNames?.length;
  const inputShape = packedShape(config.discriminator.inputShape, config.pack ?? DEFAULTS.pack);
  const networks: Record<string, Network> = {
    generator: buildNetwork({ ...config.generator, classCount }),
    discriminator: buildNetwork({ ...config.discriminator, inputShape, classCount }),
  };
  const usesEma = Object.keys(state).some((name) => name.startsWith("ema/"));
  const tensors = toTorchWeights(networks, usesEma ? withEma(state) : state);
  const bytes = encodeSafetensors(tensors, {
    format: "pt",
    step: String(step),
    generator: JSON.stringify(networks.generator.spec),
    discriminator: JSON.stringify(networks.discriminator.spec),
  });
  const path = out ?? `${folder}/weights.safetensors`;
  await writeFileAtomically(path, bytes);
  return { path, step, tensors: Object.keys(tensors).length, sizeBytes: bytes.length, usesEma };
}

function withEma(state: HostTensors): HostTensors {
  const average = Object.entries(state).filter(([name]) => name.startsWith("ema/"));
  return {
    ...state,
    ...Object.fromEntries(
      average.map(([name, tensor]) => [name.replace("ema/", "generator/"), tensor]),
    ),
  };
}
