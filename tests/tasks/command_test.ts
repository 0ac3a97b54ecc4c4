import { assertEquals, assertThrows } from "@std/assert";
import { type CommandSpec, helpText, parseCommand } from "../../cli/command.ts";
import { UserError } from "../../src/errors.ts";

const spec: CommandSpec = {
  name: "bake",
  summary: "Bakes.",
  positionals: "[CAKE]",
  maxPositionals: 1,
  options: {
    out: { help: "where", value: "PATH" },
    steps: { help: "how many", value: "N" },
    mode: { help: "how", value: "fast|slow" },
    set: { help: "an option", value: "PATH=VALUE", repeated: true },
    "dry-run": { help: "only say" },
  },
};

Deno.test("parseCommand() reads options before and after arguments", () => {
  const command = parseCommand(spec, [
    "--set",
    "a=1",
    "00012",
    "--out=x",
    "--dry-run",
    "--set=b=2",
    "--steps",
    "5",
  ]);
  assertEquals(command.positionals, ["00012"]);
  assertEquals(command.list("set"), ["a=1", "b=2"]);
  assertEquals(command.text("out"), "x");
  assertEquals(command.flag("dry-run"), true);
  assertEquals(command.flag("json"), false);
  assertEquals(command.integer("steps", { min: 1 }), 5);
  assertEquals(command.choice("mode", ["fast", "slow"]), undefined);
});

const WRONG: [args: string[], message: string][] = [
  [["--ouy", "x"], "there is no option --ouy (did you mean --out?)"],
  [["--zzzzzzz"], "there is no option --zzzzzzz; see deno task bake --help"],
  [["-x"], "there is no option -x"],
  [["a", "b"], "2 arguments are given (a b), and it takes at most 1"],
  [["--out"], "--out needs a value, PATH"],
  [["--out", "a", "--out", "b"], "--out is given 2 times"],
];

Deno.test("parseCommand() refuses what it does not know, in one line", () => {
  for (const [args, message] of WRONG) {
    assertThrows(() => parseCommand(spec, args), UserError, message);
  }
});

Deno.test("parseCommand() checks numbers and words when they are asked for", () => {
  const command = parseCommand(spec, ["--steps", "0", "--mode", "fats"]);
  assertThrows(
    () => command.integer("steps", { min: 1 }),
    UserError,
    "--steps is 0, expected a whole number of at least 1",
  );
  assertThrows(
    () => command.choice("mode", ["fast", "slow"]),
    UserError,
    "--mode is fats (did you mean fast?), expected fast, slow",
  );
});

Deno.test("helpText() shows every option", () => {
  const text = helpText(spec);
  for (const name of [...Object.keys(spec.options), "help", "json"]) {
    assertEquals(text.includes(`--${name}`), true, name);
  }
});
