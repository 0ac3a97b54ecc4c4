/** `deno task reproduce images`: quality of images over minutes of training, beside the tutorial in PyTorch. */
import type { ParsedCommand, TaskOutcome } from "../../cli/command.ts";
import { writeFileAtomically } from "../../src/files.ts";
import { UserError } from "../../src/errors.ts";
import { cacheOptions, openData } from "../../src/pipeline/open_data.ts";
import { checkPytorch } from "../../src/pipeline/images_by_minutes/pytorch_run.ts";
import {
  type ImagesPlan,
  type ImagesReproduction,
  reproduceImages,
} from "../../src/pipeline/images_by_minutes/reproduce_images.ts";
import {
  IMAGE_RECIPE_TITLES,
  imageRecipeConfig,
  parseImageRecipes,
} from "../../src/reproduction/image_recipes.ts";
import { watchRun, withInterrupt } from "./watch.ts";

/** Options of the tables of mode collapse, which images have no use for. */
const OTHERS = ["first-seed", "steps", "epochs", "download"] as const;

/** Compares the recipes, and prints the table. */
export async function reproduceImagesTask(command: ParsedCommand): Promise<TaskOutcome> {
  const out = command.text("out");
  if (out !== undefined && !/\.md$/i.test(out)) {
    throw new UserError(`Cannot write ${out}: expected a name that ends in .md`);
  }
  const reproduction = await withInterrupt(
    (signal) => compare(command, signal),
    () => console.log("stopping  after this chunk of steps, to save a checkpoint"),
  );
  const { text, figures, folder } = reproduction ?? {};
  if (text === undefined) {
    console.log("stopped   the same command goes on from here");
    return { exitCode: 130, json: { interrupted: true, folder } };
  }
  console.log(`\n${text}\n`);
  console.log(`results   ${folder}: quality.md, quality.png, a grid of each recipe`);
  if (out !== undefined) {
    await writeFileAtomically(out, new TextEncoder().encode(text + "\n"));
    console.log(`wrote     ${out}`);
  }
  return { json: { figures, folder } };
}

async function compare(command: ParsedCommand, signal: AbortSignal): Promise<ImagesReproduction> {
  const request = readRequest(command);
  const { path, python, runsFolder } = request;
  if (request.names.includes("tutorial-pytorch")) {
    console.log(`peer      ${await checkPytorch(python)}`);
  }
  let watch = watchRun();
  const data = await openData(path, {
    signal,
    onProgress: watch.callbacks.onLoading,
    ...cacheOptions(undefined, runsFolder ?? "runs"),
  });
  watch.callbacks.onData?.(data);
  watch.finish();
  const recipes: ImagesPlan["recipes"] = request.names.map((recipe) =>
    recipe === "tutorial-pytorch" ? { recipe } : {
      recipe,
      config: { ...imageRecipeConfig(recipe, data.shape), device: "cpu", data: data.spec! },
    }
  );
  return await reproduceImages({ ...request, data, recipes }, {
    runsFolder,
    signal,
    onRun({ recipe, seed, done }) {
      watch.finish();
      console.log(
        `\nrun       ${IMAGE_RECIPE_TITLES[recipe]}, seed ${seed}${done ? ": done before" : ""}`,
      );
      watch = watchRun();
      return watch.callbacks;
    },
    onPeerLine: (line) => watch.log(`peer      ${line}`),
    onStage: (what) => {
      watch.finish();
      console.log(`measures  ${what}`);
    },
  });
}

function readRequest(command: ParsedCommand) {
  const given = OTHERS.find((name) =>
    name === "download" ? command.flag(name) : command.text(name) !== undefined
  );
  if (given !== undefined) {
    throw new UserError(
      `Cannot reproduce images with --${given}: its runs are as long as --minutes says; leave it away`,
    );
  }
  const path = command.text("data");
  if (path === undefined) {
    throw new UserError("Cannot reproduce images: name a folder or a file of images with --data");
  }
  if (command.choice("device", ["auto", "webgpu", "cpu"]) === "webgpu") {
    throw new UserError(
      "Cannot reproduce images with --device webgpu: the recipes are compared on the CPU; leave it away",
    );
  }
  return {
    path,
    names: parseImageRecipes(command.text("recipes") ?? "tutorial-pytorch,tutorial,best"),
    seeds: command.integer("seeds", { min: 1, max: 100 }) ?? 1,
    minutes: command.number("minutes", { min: 0.01, max: 10_000 }) ?? 10,
    python: command.text("python") ?? "/usr/bin/python3",
    runsFolder: command.text("runs"),
  };
}
