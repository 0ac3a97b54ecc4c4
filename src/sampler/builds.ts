/**
 * Which builds of ONNX Runtime the sampler may use, set by the entry that an app imports: mod.ts imports
 * them when they are needed, static.ts with itself.
 */
import type { OrtModule } from "../ort/types.ts";

/** A build of ONNX Runtime. */
export interface RuntimeBuild {
  /** Loads its JavaScript. */
  load(): OrtModule | Promise<OrtModule>;
  /** The name of its `.wasm`. */
  wasmFile: string;
  /** Where that may lie, best first; empty where only ONNX Runtime itself knows. */
  wasmAddresses(): string[];
  /** Whether its threads can start in Deno and Node. */
  hasThreadsOutsidePages: boolean;
}

/** The builds of an entry. */
export interface RuntimeBuilds {
  /** Computes on the CPU. */
  wasm: RuntimeBuild;
  /** Computes on WebGPU; null where the entry has none. */
  webgpu: RuntimeBuild | null;
}

let chosen: RuntimeBuilds | null = null;

/** Sets the builds of an entry; where an app imports several, those of the static one stay. */
export function setBuilds(builds: RuntimeBuilds): void {
  if (chosen === null || builds.webgpu === null) chosen = builds;
}

/** The builds to use. */
export function currentBuilds(): RuntimeBuilds {
  if (chosen === null) {
    throw new TypeError("Cannot load: import ganforge/sampler or its static entry");
  }
  return chosen;
}
