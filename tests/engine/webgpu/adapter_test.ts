/** Through which API an adapter is reached, on this machine and on made-up ones. */
import { assertEquals } from "@std/assert";
import { findAdapter } from "../../../src/engine/webgpu/adapter.ts";
import { runScript, sourceUrl } from "../run_script.ts";

const VARIABLE = "DENO_WEBGPU_BACKEND";

/** A machine that has adapters for these APIs, by wgpu's names, the one that WebGPU prefers first. */
class Machine {
  /** What `DENO_WEBGPU_BACKEND` was at each request. */
  readonly asked: (string | undefined)[] = [];
  readonly #apis: string[];

  constructor(...apis: string[]) {
    this.#apis = apis;
  }

  get gpu(): GPU {
    const requestAdapter = () => {
      const allowed = Deno.env.get(VARIABLE);
      this.asked.push(allowed);
      const api = this.#apis.find((name) => allowed?.split(",").includes(name) ?? true);
      const features = new Set(api === "gl" ? [] : ["bgra8unorm-storage"]);
      return Promise.resolve(api === undefined ? null : { api, features });
    };
    return { requestAdapter } as unknown as GPU;
  }
}

/** Finds with the variable set so, and gives the adapter's API, as it is and as it is reported. */
async function find(machine: Machine, variable?: string): Promise<string> {
  const before = Deno.env.get(VARIABLE);
  if (variable === undefined) Deno.env.delete(VARIABLE);
  else Deno.env.set(VARIABLE, variable);
  try {
    const found = await findAdapter(machine.gpu);
    assertEquals(Deno.env.get(VARIABLE), variable, "the environment is put back");
    if (!found) return "none";
    return `${(found.adapter as unknown as { api: string }).api}: ${found.api}`;
  } finally {
    if (before === undefined) Deno.env.delete(VARIABLE);
    else Deno.env.set(VARIABLE, before);
  }
}

Deno.test({
  name: "findAdapter() takes Vulkan's adapter before OpenGL's on Linux",
  ignore: Deno.build.os !== "linux",
  async fn() {
    assertEquals(await find(new Machine("vulkan", "gl")), "vulkan: Vulkan");
    assertEquals(await find(new Machine("gl", "vulkan")), "vulkan: Vulkan");
    assertEquals(await find(new Machine("gl")), "gl: OpenGL");
    assertEquals(await find(new Machine()), "none");
  },
});

Deno.test("findAdapter() takes the API that DENO_WEBGPU_BACKEND asks for", async () => {
  assertEquals(await find(new Machine("vulkan", "gl"), "gl"), "gl: OpenGL");
  assertEquals(await find(new Machine("vulkan", "gl"), "gl, vulkan"), "gl: OpenGL");
  assertEquals(await find(new Machine("vulkan", "gl"), "vulkan"), "vulkan: Vulkan");
  assertEquals(await find(new Machine("vulkan"), "gl"), "none");
  const machine = new Machine("gl");
  await find(machine, "vulkan,gl");
  assertEquals(machine.asked, ["vulkan,gl", "vulkan", "gl"]); // all at first: Deno sets up no others later
});

Deno.test({
  name: "findAdapter() reads OpenGL off the adapter's features without --allow-env",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const found = await runScript(`
      await Deno.permissions.revoke({ name: "env" });
      const { findAdapter } = await import(${sourceUrl("webgpu/adapter.ts")});
      const machine = (...features) => ({
        requestAdapter: () => Promise.resolve({ features: new Set(features) }),
      });
      console.log((await findAdapter(machine("timestamp-query"))).api);
      console.log((await findAdapter(machine("timestamp-query", "shader-f16"))).api);`);
    assertEquals(found, "OpenGL\nVulkan");
  },
});
