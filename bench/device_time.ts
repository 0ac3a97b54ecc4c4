/** How long a GPU works on something, by its own clock: waiting for it costs 10 ms in Deno. */

/** A submit is timed so often; the fastest counts. */
const ROUNDS = 5;
/** What is timed repeats until it takes so long. */
const MIN_MS = 2;
/** So often at most. */
const MAX_REPEATS = 1024;

/**
 * Milliseconds of what `encode` puts into a compute pass: the best of several rounds, each of many
 * repeats in one pass, as a training step's dispatches follow one another.
 */
export async function passMilliseconds(
  device: GPUDevice,
  encode: (pass: GPUComputePassEncoder) => void,
): Promise<number> {
  if (!device.features.has("timestamp-query")) {
    throw new Error("Cannot time GPU work: the adapter lacks the feature timestamp-query");
  }
  await time(device, encode, 1); // compiles
  let repeats = 1;
  for (;;) {
    const ms = await time(device, encode, repeats);
    if (ms >= MIN_MS || repeats === MAX_REPEATS) break;
    repeats = Math.min(MAX_REPEATS, Math.ceil(repeats * Math.min(32, 1.5 * MIN_MS / ms)));
  }
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    best = Math.min(best, await time(device, encode, repeats));
  }
  return best / repeats;
}

async function time(
  device: GPUDevice,
  encode: (pass: GPUComputePassEncoder) => void,
  repeats: number,
): Promise<number> {
  const querySet = device.createQuerySet({ type: "timestamp", count: 2 });
  const { QUERY_RESOLVE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
  const resolved = device.createBuffer({ size: 16, usage: QUERY_RESOLVE | COPY_SRC });
  const readable = device.createBuffer({ size: 16, usage: MAP_READ | COPY_DST });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass({
    timestampWrites: { querySet, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 },
  });
  for (let k = 0; k < repeats; k++) encode(pass);
  pass.end();
  encoder.resolveQuerySet(querySet, 0, 2, resolved, 0);
  encoder.copyBufferToBuffer(resolved, 0, readable, 0, 16);
  device.queue.submit([encoder.finish()]);
  await readable.mapAsync(GPUMapMode.READ);
  const [from, to] = new BigUint64Array(readable.getMappedRange().slice(0));
  [querySet, resolved, readable].forEach((resource) => resource.destroy());
  return Number(to - from) / 1e6;
}
