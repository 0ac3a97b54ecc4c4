/**
 * Weights of a network that a run made for its own measuring: they are made before the run has a folder,
 * and kept there, so that a resumed run measures with the same and need not make them again.
 */
import type { DataSource } from "../data/source.ts";
import type { HostTensors } from "../tensor/types.ts";
import { UserError } from "../errors.ts";
import { writeFileAtomically } from "../files.ts";
import { decodeSafetensors, encodeSafetensors } from "../run/safetensors.ts";

/** Where trained weights are kept, so that the same data need not be learned twice. */
export interface WeightsStore {
  /** The weights that were kept, if there are any with these shapes. */
  read(like: HostTensors): Promise<HostTensors | undefined>;
  write(weights: HostTensors): Promise<void>;
}

/** A store whose folder may come later. */
export interface KeptWeights extends WeightsStore {
  /** Writes what was made into a run's folder, if something was. */
  keep(folder: string): Promise<void>;
}

/**
 * Opens the store of the classifier of some data.
 * @param folder the run's, where there is one already
 */
export function classifierStore(data: DataSource, folder: string | undefined): KeptWeights {
  const name = `classifier-${data.fingerprint.slice(0, 12)}.safetensors`; // other data have another
  let made: HostTensors | undefined;
  return {
    async read(like) {
      if (folder === undefined) return undefined;
      const weights = await readWeights(`${folder}/${name}`);
      return weights && haveShapesOf(weights, like) ? weights : undefined;
    },
    write(weights) {
      made = weights;
      return Promise.resolve();
    },
    async keep(folder) {
      if (!made) return;
      await writeFileAtomically(`${folder}/${name}`, encodeSafetensors(made, {}));
    },
  };
}

/** The tensors of a file; undefined where it is missing or damaged, as they can be made again. */
async function readWeights(file: string): Promise<HostTensors | undefined> {
  try {
    return decodeSafetensors(await Deno.readFile(file), file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof UserError) return undefined;
    throw error;
  }
}

function haveShapesOf(weights: HostTensors, like: HostTensors): boolean {
  const names = Object.keys(like);
  return names.length === Object.keys(weights).length &&
    names.every((name) =>
      weights[name]?.shape.join() === like[name].shape.join() &&
      weights[name].data.every(Number.isFinite)
    );
}
