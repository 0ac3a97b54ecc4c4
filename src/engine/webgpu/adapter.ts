/**
 * Which adapter is taken, and through which graphics API WebGPU reaches it. WebGPU itself does not tell
 * the API, and it matters: on Linux wgpu also offers OpenGL's adapters, where a program with barriers
 * takes half a minute to compile and Vulkan's takes a second.
 */

/** The API under WebGPU. "unknown" where nothing says. */
export type GraphicsApi = "Vulkan" | "Metal" | "Direct3D 12" | "OpenGL" | "unknown";

/** An adapter, and how it is reached. */
export interface FoundAdapter {
  adapter: GPUAdapter;
  api: GraphicsApi;
}

/** Deno's environment variable: the APIs that wgpu may use, by these names, separated by commas. */
const VARIABLE = "DENO_WEBGPU_BACKEND";

const APIS: Record<string, GraphicsApi> = {
  vulkan: "Vulkan",
  vk: "Vulkan",
  metal: "Metal",
  mtl: "Metal",
  dx12: "Direct3D 12",
  d3d12: "Direct3D 12",
  gl: "OpenGL",
  gles: "OpenGL",
  opengl: "OpenGL",
};

/** wgpu's names of the APIs of a system, the best one first. */
const BY_SYSTEM: Record<string, string[]> = {
  linux: ["vulkan", "gl"],
  darwin: ["metal"],
  windows: ["vulkan", "dx12", "gl"],
};

/**
 * Finds the high-performance adapter: OpenGL's only where nothing else has one, or where the person has
 * asked for it with `DENO_WEBGPU_BACKEND=gl`.
 *
 * The first request lets Deno set up the APIs that the person allows. Each further one allows a single
 * API, by that variable, so that it is known which one answers. Without --allow-env the first adapter
 * is taken, and the API is read off what only OpenGL lacks.
 * @returns undefined where there is none
 */
export async function findAdapter(gpu: GPU): Promise<FoundAdapter | undefined> {
  return await withEnv("XDG_RUNTIME_DIR", "/", async () => { // Mesa complains where it is not set
    const request = () => gpu.requestAdapter({ powerPreference: "high-performance" });
    const adapter = await request();
    if (!adapter) return undefined;
    if (!maySet(VARIABLE)) return { adapter, api: guessApi(adapter) };
    const allowed = Deno.env.get(VARIABLE)?.split(",").map((name) => name.trim().toLowerCase());
    for (const name of allowed ?? BY_SYSTEM[Deno.build.os] ?? []) {
      const found = await withEnv(VARIABLE, name, request, { replace: true });
      if (found) return { adapter: found, api: APIS[name] ?? "unknown" };
    }
    return { adapter, api: guessApi(adapter) };
  });
}

/** wgpu never offers these with OpenGL, and practically always with the other APIs. */
const BEYOND_OPENGL = ["bgra8unorm-storage", "rg11b10ufloat-renderable", "shader-f16"] as const;

/** The API as far as the adapter and the system show it. */
function guessApi({ features }: GPUAdapter): GraphicsApi {
  if (!BEYOND_OPENGL.some((name) => features.has(name))) return "OpenGL";
  const [best, other] = (BY_SYSTEM[globalThis.Deno?.build.os] ?? []).filter((name) =>
    name !== "gl"
  );
  return best !== undefined && other === undefined ? APIS[best] : "unknown";
}

/** Whether --allow-env lets us change a variable. */
function maySet(variable: string): boolean {
  const permission = globalThis.Deno?.permissions.querySync({ name: "env", variable });
  return permission?.state === "granted";
}

/**
 * Runs `body` with a variable of the environment set, and puts it back. Where it may not be set, or has
 * a value that is not to be replaced, `body` just runs.
 */
async function withEnv<T>(
  name: string,
  value: string,
  body: () => Promise<T>,
  { replace = false } = {},
): Promise<T> {
  if (!maySet(name)) return await body();
  const before = Deno.env.get(name);
  if (before !== undefined && !replace) return await body();
  Deno.env.set(name, value);
  try {
    return await body();
  } finally {
    if (before === undefined) Deno.env.delete(name);
    else Deno.env.set(name, before);
  }
}
