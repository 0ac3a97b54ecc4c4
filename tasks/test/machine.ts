/**
 * What the tests need of the machine: a WebGPU adapter (a software Vulkan driver will do), browsers,
 * Open MPI, Python's onnx and PyTorch, the packages of the example apps. Where apt and root are there, they
 * are installed; elsewhere a line says what to install.
 */
import { NATIVE_VERSION } from "../../src/ort/native.ts";
import { prepareApps } from "./apps.ts";
import { hasProgram, runCommand } from "./process.ts";

/**
 * wgpu is content with OpenGL, where a program with barriers takes half a minute to compile and Vulkan's
 * takes a second. So the tests run on Vulkan on Linux, unless the person chooses otherwise.
 */
const GRAPHICS_API = Deno.env.get("DENO_WEBGPU_BACKEND") ??
  (Deno.build.os === "linux" ? "vulkan" : undefined);

interface Need {
  what: string;
  /** Debian packages that give it. */
  packages: string[];
  isThere: () => Promise<boolean>;
}

const NEEDS: Need[] = [
  {
    what: GRAPHICS_API === "vulkan" ? "a Vulkan driver, for WebGPU" : "a WebGPU adapter",
    packages: ["mesa-vulkan-drivers", "libvulkan1"],
    isThere: async () => (await findAdapter()) !== "",
  },
  { what: "Chromium", packages: ["chromium"], isThere: async () => (await findBrowser()) !== "" },
  { what: "Firefox", packages: ["firefox-esr"], isThere: () => hasProgram("firefox-esr") },
  {
    what: "WebKit, and a display for it",
    packages: ["webkit2gtk-driver", "xvfb"],
    isThere: async () => await hasProgram("WebKitWebDriver") && await hasProgram("Xvfb"),
  },
  {
    what: "Open MPI, for several processes",
    packages: ["openmpi-bin"],
    isThere: () => hasProgram("mpirun"),
  },
  {
    what: "Python's onnx, a referee",
    packages: ["python3-onnx", "python3-numpy"],
    isThere: () => hasPython("import onnx, numpy"),
  },
  {
    what: "PyTorch, a referee",
    packages: ["python3-torch", "libopenblas0"],
    isThere: () => hasPython("import torch"),
  },
];

/** Where a native ONNX Runtime for the referees' tests goes. */
const REFEREES = ".tools/referees";
const NATIVE_RUNTIME = `onnxruntime-node@${NATIVE_VERSION}`;

/**
 * Installs what is missing, or says what is.
 * @returns environment variables for the tests
 */
export async function prepareMachine(): Promise<Record<string, string>> {
  await cacheDependencies();
  await installPackages();
  if (!(await hasProgram("node"))) {
    console.log("This machine lacks Node: the tests of the npm package are skipped");
  }
  const noApps = await prepareApps(Deno.env.get("CI") === "true");
  if (noApps !== null) console.log(`The example apps are not tested, which ${noApps}`);
  console.log(`WebGPU adapter of the tests: ${await findAdapter() || "none"}`);
  return {
    ...graphicsEnv(),
    XDG_RUNTIME_DIR: Deno.env.get("XDG_RUNTIME_DIR") ?? "/", // Mesa complains without one
    ...(await hasNativeRuntime() ? { GANFORGE_REFEREES: `${Deno.cwd()}/${REFEREES}` } : {}),
  };
}

/** Fetches all packages first, so that no test's output holds Deno's download lines. */
async function cacheDependencies(): Promise<void> {
  const { code } = await runCommand(Deno.execPath(), ["install", "--quiet"], { quiet: true });
  if (code) Deno.exit(1);
}

/** Whether onnxruntime-node can check exports. It has 290 MB, so only CI fetches it unasked. */
async function hasNativeRuntime(): Promise<boolean> {
  try {
    await Deno.stat(`${REFEREES}/node_modules/onnxruntime-node`);
    return true;
  } catch {
    if (Deno.env.get("CI") !== "true" || !(await hasProgram("npm"))) return false;
  }
  console.log(`Installing a second referee: npm install ${NATIVE_RUNTIME}`);
  const { code } = await runCommand("npm", [
    "install",
    "--prefix",
    REFEREES,
    "--no-save",
    "--no-package-lock",
    "--ignore-scripts",
    "--silent",
    NATIVE_RUNTIME,
  ], { quiet: true });
  return code === 0;
}

async function installPackages(): Promise<void> {
  const missing: Need[] = [];
  for (const need of NEEDS) if (!(await need.isThere())) missing.push(need);
  if (missing.length === 0) return;
  const packages = missing.flatMap((need) => need.packages);
  const names = missing.map((need) => need.what).join(", ");
  if (Deno.build.os !== "linux" || !(await hasProgram("apt-get")) || Deno.uid() !== 0) {
    console.log(
      `This machine lacks ${names}: the tests that need it are skipped. On Debian or Ubuntu: ` +
        `sudo apt-get install -y ${packages.join(" ")}`,
    );
    return;
  }
  console.log(`Installing ${names}: apt-get install ${packages.join(" ")}`);
  await runCommand("apt-get", ["update", "-qq"], { quiet: true, env: APT_ENV });
  if (await aptInstall(packages)) return;
  // One package that this system does not have would take all others with it.
  for (const { what, packages } of missing) {
    if (await aptInstall(packages)) continue;
    console.log(`Could not install ${what}: the tests that need it are skipped`);
  }
}

const APT_ENV = { DEBIAN_FRONTEND: "noninteractive" };

async function aptInstall(packages: string[]): Promise<boolean> {
  const args = ["install", "-y", "-qq", "--no-install-recommends", ...packages];
  return (await runCommand("apt-get", args, { quiet: true, env: APT_ENV })).code === 0;
}

/** The adapter that the tests get, such as `llvmpipe (LLVM 15.0.6, 256 bits) through Vulkan`, or "". */
async function findAdapter(): Promise<string> {
  const address = import.meta.resolve("../../src/engine/webgpu/adapter.ts");
  const code = `
    const { findAdapter } = await import(${JSON.stringify(address)});
    const found = navigator.gpu && await findAdapter(navigator.gpu);
    if (found) console.log(found.adapter.info.description + " through " + found.api);`;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", code],
    env: graphicsEnv(),
    stderr: "null",
  }).output();
  return new TextDecoder().decode(stdout).trim();
}

function graphicsEnv(): Record<string, string> {
  return GRAPHICS_API === undefined ? {} : { DENO_WEBGPU_BACKEND: GRAPHICS_API };
}

/** Whether Debian's Python can run some imports. */
async function hasPython(code: string): Promise<boolean> {
  try {
    const { success } = await new Deno.Command("/usr/bin/python3", {
      args: ["-c", code],
      stdout: "null",
      stderr: "null",
    }).output();
    return success;
  } catch {
    return false;
  }
}

/** The path of a Chromium or Chrome, or "". */
export async function findBrowser(): Promise<string> {
  for (const name of ["chromium", "chromium-browser", "google-chrome"]) {
    if (await hasProgram(name)) return name;
  }
  return "";
}
