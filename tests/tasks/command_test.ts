import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { type CommandSpec, helpText, parseCommand } from "../../cli/command.ts";
import { UserError } from "../../src/errors.ts";

const spec: CommandSpec = {
  name: "bake",
  summary: "Bakes.",
  positionals: "[CAKE]",
  maxPositionals: 1,
  options: {
    out: { help: "where", value: "PATH", path: true },
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

Deno.test("parseCommand() reads backslashes of paths as slashes on Windows, and only there", () => {
  const args = ["C:\\cakes\\a b", "--out", "..\\runs\\", "--set", "augment.x=a\\b"];
  const windows = parseCommand(spec, args, { os: "windows" });
  assertEquals(windows.positionals, ["C:/cakes/a b"]);
  assertEquals([windows.text("out"), windows.list("set")], ["../runs/", ["augment.x=a\\b"]]);
  const linux = parseCommand(spec, args, { os: "linux" });
  assertEquals([linux.positionals[0], linux.text("out")], ["C:\\cakes\\a b", "..\\runs\\"]);
});

Deno.test("every option of a task that names a file or folder is read as a path", async () => {
  const root = new URL("../../", import.meta.url);
  const tasks = ["train", "data", "sample", "export", "evaluate", "reproduce", "example_web"];
  const seen: string[] = [];
  for (const task of tasks) {
    const text = await Deno.readTextFile(new URL(`tasks/${task}.ts`, root));
    for (const [option] of text.matchAll(/[\w"-]+: \{[^{}]*\bvalue: "[^"]*"[^{}]*\}/g)) {
      const value = /\bvalue: "([^"]*)"/.exec(option)![1];
      if (!/^(?:PATH|DIR|RUN\b.*|FOLDER.*|.*\.(?:md|onnx|json|png))$/.test(value)) continue;
      seen.push(`${task} ${value}`);
      assertMatch(option, /\bpath: true\b/, `${task}: ${option}`);
    }
  }
  assert(seen.length > 15, seen.join());
});

Deno.test("no message says --set data.x where train has an option for it", async () => {
  const root = new URL("../../", import.meta.url);
  const train = await Deno.readTextFile(new URL("tasks/train.ts", root));
  const options = [...train.matchAll(/^ {4}"?([\w-]+)"?: \{/gm)].map(([, name]) => name);
  assert(
    ["data", "size", "label", "columns", "missing", "broken"].every((name) =>
      options.includes(name)
    ),
    options.join(),
  );
  let messages = 0;
  const look = async (folder: URL) => {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      const url = new URL(isDirectory ? `${name}/` : name, folder);
      if (isDirectory) await look(url);
      else if (name.endsWith(".ts")) {
        for (const [said, key] of (await Deno.readTextFile(url)).matchAll(/--set data\.(\w+)/g)) {
          messages++;
          assert(!options.includes(key === "path" ? "data" : key), `${url.pathname}: ${said}`);
        }
      }
    }
  };
  for (const folder of ["src/", "tasks/", "cli/"]) await look(new URL(folder, root));
  assert(messages > 5, String(messages));
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
