/** Features that several processes take of parts of the images, put together on each of them. */
import { concatFloats } from "../bytes.ts";
import { allGatherJson, type Communicator } from "../distributed/communicator.ts";
import { type SampleMatrix, sampleMatrix } from "../metrics/mod.ts";
import type { FeatureSet } from "./features.ts";
import { PIXEL_BATCH } from "./pixels.ts";

/**
 * The images of a process: whole batches, so that each image is looked at in the same company whatever
 * the number of processes. Where there are fewer batches than processes, each looks at all.
 */
export function ownImages(
  total: number,
  ranks: Communicator | undefined,
): { first: number; end: number; isShared: boolean } {
  const batches = Math.ceil(total / PIXEL_BATCH);
  if (!ranks || ranks.size === 1 || batches < ranks.size) {
    return { first: 0, end: total, isShared: false };
  }
  const { rank, size } = ranks;
  const start = (part: number) => Math.min(total, Math.floor(part * batches / size) * PIXEL_BATCH);
  return { first: start(rank), end: start(rank + 1), isShared: true };
}

/** The rows of all processes, in their order. */
export async function joinRows(ranks: Communicator, own: SampleMatrix): Promise<SampleMatrix> {
  const { buffer, byteOffset, byteLength } = own.data;
  const all = await ranks.allGather(new Uint8Array(buffer, byteOffset, byteLength));
  return sampleMatrix(
    concatFloats(all.map((bytes) => new Float32Array(bytes.buffer))),
    own.dimensions,
  );
}

/** The features of all processes' images. */
export async function joinFeatures(ranks: Communicator, own: FeatureSet): Promise<FeatureSet> {
  const features = await joinRows(ranks, own.features);
  const { probabilities } = own;
  return probabilities
    ? { features, probabilities: await joinRows(ranks, probabilities) }
    : { features };
}

/** What any process has seen. */
export async function joinSeen(
  ranks: Communicator,
  own: ReadonlySet<string>,
): Promise<Set<string>> {
  return new Set((await allGatherJson(ranks, [...own])).flat());
}
