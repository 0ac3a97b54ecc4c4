/** The build of ONNX Runtime for the static entry: imported with it, on the CPU, on one thread at least. */
import { staticWasmBuild } from "../ort/static_wasm.ts";
import { WASM_FILE, wasmAddresses } from "../ort/wasm_file.ts";
import { setBuilds } from "./builds.ts";

setBuilds({
  wasm: {
    load: () => staticWasmBuild,
    wasmFile: WASM_FILE,
    wasmAddresses,
    hasThreadsOutsidePages: false,
  },
  webgpu: null,
});
