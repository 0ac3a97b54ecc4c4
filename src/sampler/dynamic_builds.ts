/** The builds of ONNX Runtime for the main entry: each is imported when the first sampler needs it. */
import { importWasmBuild, importWebGpuBuild } from "../ort/web.ts";
import { WASM_FILE, wasmAddresses } from "../ort/wasm_file.ts";
import { WEBGPU_FILE, webGpuAddresses } from "../ort/webgpu_file.ts";
import { setBuilds } from "./builds.ts";
import { canReadRuntime, hasFiles } from "./platform.ts";

setBuilds({
  wasm: {
    load: () => importWasmBuild(hasFiles && canReadRuntime(wasmAddresses()) ? "files" : "page"),
    wasmFile: WASM_FILE,
    wasmAddresses,
    get hasThreadsOutsidePages() {
      return canReadRuntime(wasmAddresses());
    },
  },
  webgpu: {
    load: importWebGpuBuild,
    wasmFile: WEBGPU_FILE,
    wasmAddresses: webGpuAddresses,
    hasThreadsOutsidePages: false,
  },
});
