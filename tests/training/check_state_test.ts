import { assertEquals, assertThrows } from "@std/assert";
import { UserError } from "../../src/errors.ts";
import type { HostTensors } from "../../src/tensor/types.ts";
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
  const { state, changes } = withSwitchedParts(plain, full);
  assertEquals(state, { ...full, "ema/a": tensor(1) });
  assertEquals(changes, [
    "the EMA is new: it starts from the generator's weights",
    "adaptive augmentation is new: its probability starts where the config says",
  ]);
  checkStateFits(state, full, "a run");
});

Deno.test("withSwitchedParts() leaves out what is switched off, and changes nothing else", () => {
  const { state, changes } = withSwitchedParts(full, plain);
  assertEquals(state, plain);
  assertEquals(changes.length, 2);
  assertEquals(withSwitchedParts(full, full), { state: full, changes: [] });
  const other = { ...plain, "generator/c": tensor(3) };
  assertThrows(
    () => checkStateFits(withSwitchedParts(plain, other).state, other, "runs/1"),
    UserError,
    "Cannot resume runs/1: of generator/c the checkpoint has nothing",
  );
});
