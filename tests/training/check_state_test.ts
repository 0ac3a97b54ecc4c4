import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { presetConfig } from "../../src/config/presets/mod.ts";
import { UserError } from "../../src/errors.ts";
import type { HostTensors } from "../../src/tensor/types.ts";
import { hostInputs } from "../../src/training/host_inputs.ts";
import type { OptimizersSince } from "../../src/training/store.ts";
import { checkStateFits, withSwitchedParts } from "../../src/training/check_state.ts";

const tensor = (value: number) => ({
  shape: [1],
  dtype: "float32" as const,
  data: Float32Array.of(value),
});

const plain: HostTensors = { "generator/a": tensor(1), "discriminator/b": tensor(2) };
const full: HostTensors = {
  ...plain,
  "ema/a": tensor(0),
  "augment/probability": tensor(0.25),
  "augment/signs": tensor(0),
};

Deno.test("withSwitchedParts() starts an EMA from the weights, and augmentation from the config", () => {
  const { checkpoint: { state }, changes } = withSwitchedParts({ state: plain, step: 7 }, full);
  assertEquals(state, { ...full, "ema/a": tensor(1) });
  assertEquals(changes, [
    "the EMA is new: it starts from the generator's weights",
    "adaptive augmentation is new: its probability starts where the config says",
  ]);
  checkStateFits(state, full, "a run");
});

Deno.test("withSwitchedParts() leaves out what is switched off, and changes nothing else", () => {
  const { checkpoint: { state }, changes } = withSwitchedParts({ state: full, step: 7 }, plain);
  assertEquals(state, plain);
  assertEquals(changes.length, 2);
  const same = { state: full, step: 7 };
  assertEquals(withSwitchedParts(same, full), { checkpoint: same, changes: [] });
  const other = { ...plain, "generator/c": tensor(3) };
  assertThrows(
    () =>
      checkStateFits(
        withSwitchedParts({ state: plain, step: 7 }, other).checkpoint.state,
        other,
        "runs/1",
      ),
    UserError,
    "Cannot resume runs/1: of generator/c the checkpoint has nothing",
  );
});

Deno.test("withSwitchedParts() starts another optimizer without state, and remembers from where it counts", () => {
  const adam: HostTensors = {
    ...plain,
    "generatorOptimizer/a/m": tensor(5),
    "generatorOptimizer/a/v": tensor(6),
    "discriminatorOptimizer/b/m": tensor(7),
    "discriminatorOptimizer/b/v": tensor(8),
  };
  const { "generatorOptimizer/a/m": _m, "generatorOptimizer/a/v": _v, ...rest } = adam;
  const mixed: HostTensors = { ...rest, "generatorOptimizer/a/square": tensor(0) };
  const { checkpoint, changes } = withSwitchedParts({ state: adam, step: 7 }, mixed);
  assertEquals(checkpoint, { state: mixed, step: 7, optimizersSince: { generator: 7 } });
  assertEquals(changes, ["the generator's optimizer is another: it starts without state"]);
  const back = withSwitchedParts({ ...checkpoint, step: 9 }, adam).checkpoint;
  assertEquals(back.optimizersSince, { generator: 9 });
  assertEquals(back.state["generatorOptimizer/a/m"], tensor(5)); // the config's initial value

  const config = { ...presetConfig("digits"), learningRateSchedule: undefined };
  const hyper = (step: number, optimizersSince?: OptimizersSince) =>
    hostInputs(config, step, { totalSteps: 100, optimizersSince });
  assertEquals(hyper(9, { generator: 9 }).generatorHyper, hyper(0).generatorHyper);
  assertEquals(hyper(9, { generator: 9 }).discriminatorHyper, hyper(9).discriminatorHyper);
  assertNotEquals(hyper(9).generatorHyper, hyper(0).generatorHyper);
});
