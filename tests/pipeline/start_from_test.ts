import { assert, assertEquals, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import type { RunConfig } from "../../src/config/run_config.ts";
import { UserError } from "../../src/errors.ts";
import { exportWeights } from "../../src/pipeline/export_weights.ts";
import { trainRun } from "../../src/pipeline/train_run.ts";
import { startFrom } from "../../src/pipeline/start_from.ts";
import { readLatestCheckpoint } from "../../src/run/checkpoint.ts";
import { buildTrainingStep } from "../../src/training/step.ts";
import type { HostTensors } from "../../src/tensor/types.ts";
import { TINY } from "../tiny_config.ts";

const config: RunConfig = { ...TINY, duration: { steps: 3 }, ema: { halfLifeImages: 20 } };

async function inFolder(test: (root: string) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    await test(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

/** Trains a run. @returns its folder, what it said of the weights it started from, and its last state */
async function trainIn(runsFolder: string, given: RunConfig) {
  let lines: readonly string[] | undefined;
  await using run = await trainRun(given, {
    runsFolder,
    cacheFolder: null,
    onStart: ({ from }) => lines = from,
  });
  const folder = run.folder!;
  return { folder, lines, ...await readLatestCheckpoint(`${folder}/checkpoints`) };
}

const bits = (state: HostTensors, part: string) =>
  Object.keys(state).filter((name) => name.startsWith(`${part}/`)).map((name) => state[name].data);

Deno.test("a run starts from another's weights, and from its file of weights", () =>
  inFolder(async (root) => {
    const first = await trainIn(`${root}/runs`, config);
    assertEquals(first.lines, undefined);
    // A learning rate of almost nothing shows what the run started with.
    const still = { type: "sgd", learningRate: 1e-30 } as const;
    const frozen = { generatorOptimizer: still, discriminatorOptimizer: still };
    const next = await trainIn(`${root}/runs`, {
      ...config,
      ...frozen,
      seed: 7,
      from: first.folder,
    });
    const dense = "generator/dense_2/kernel";
    assertEquals(next.state[dense].data, first.state[dense].data);
    assertEquals(next.lines, [
      `generator: 8 of 8 tensors (640 values) from ${first.folder}, step 3`,
      `discriminator: 4 of 4 tensors (529 values) from ${first.folder}, step 3`,
      `ema: 8 of 8 tensors (640 values) from ${first.folder}, step 3`,
    ]);

    const { path, usesEma } = await exportWeights(first.folder);
    assert(usesEma);
    const fromFile = await trainIn(`${root}/runs`, { ...config, ...frozen, seed: 8, from: path });
    assertEquals(fromFile.state[dense].data, first.state["ema/dense_2/kernel"].data);
    assertEquals(
      fromFile.state["discriminator/dense_2/kernel"].data,
      first.state["discriminator/dense_2/kernel"].data,
    );
  }));

Deno.test("startFrom() says what does not fit, and refuses what fits nowhere", () =>
  inFolder(async (root) => {
    const { folder } = await trainIn(`${root}/runs`, config);
    const wider: RunConfig = structuredClone(config);
    wider.discriminator.layers[1] = { type: "dense", units: 9 };
    const { initialState, networks } = buildTrainingStep(wider, { shape: [8, 8, 1] });
    const options = { initial: initialState(1), networks, runsFolder: `${root}/runs` };
    const { lines, state } = await startFrom("latest", options);
    assertEquals(lines[1], `discriminator: 1 of 4 tensors (1 values) from ${folder}, step 3`);
    assertEquals(lines.slice(3), [
      "discriminator/dense_1/kernel starts anew: [64, 9] here, [64, 8] there",
      "discriminator/dense_1/bias starts anew: [9] here, [8] there",
      "discriminator/dense_2/kernel starts anew: [9, 1] here, [8, 1] there",
    ]);
    assertEquals(Object.keys(state), Object.keys(options.initial));

    await Deno.writeTextFile(`${root}/empty.safetensors`, "");
    await assertRejects(
      () => startFrom(`${root}/empty.safetensors`, options),
      UserError,
      "8 bytes",
    );
    await assertRejects(() => startFrom(`${root}/no.safetensors`, options), UserError, "no.safe");
    await assertRejects(() => startFrom("99", options), UserError, "Cannot find the run 99");
    const other = { "generator/other": options.initial["generator/dense_1/kernel"] };
    await assertRejects(
      () => startFrom(folder, { ...options, initial: other }),
      UserError,
      "none of its",
    );
  }));

Deno.test("frozen layers of the discriminator keep their weights, the others learn", () =>
  inFolder(async (root) => {
    const before = buildTrainingStep(config, { shape: [8, 8, 1] }).initialState(config.seed);
    const { state } = await trainIn(`${root}/runs`, { ...config, freezeDiscriminator: 1 });
    assertEquals(
      state["discriminator/dense_1/kernel"].data,
      before["discriminator/dense_1/kernel"].data,
    );
    assertNotEquals(bits(state, "discriminator/dense_2"), bits(before, "discriminator/dense_2"));
    assertNotEquals(bits(state, "generator"), bits(before, "generator"));
    assertThrows(
      () => buildTrainingStep({ ...config, freezeDiscriminator: 2 }, { shape: [8, 8, 1] }),
      UserError,
      "Cannot freeze 2 layers of the discriminator: 2 have weights",
    );
  }));
