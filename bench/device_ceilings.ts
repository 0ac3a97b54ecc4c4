/**
 * What a WebGPU device does at most, measured: chains of fused multiply-adds for arithmetic, copies of
 * memory for bandwidth. The kernels of training are compared with these.
 */
import { passMilliseconds } from "./device_time.ts";

/** Bytes of a copy: past every cache of a CPU and of most GPUs. */
const COPY_BYTES = 512 << 20;
/** Threads of a workgroup. */
const THREADS = 256;

/** GFLOP/s of independent chains of fused multiply-adds; the best of several numbers of chains. */
export async function arithmeticCeiling(device: GPUDevice, isSoftware: boolean): Promise<number> {
  let best = 0;
  for (const count of [2, 3, 4, 8]) {
    best = Math.max(best, await chainRate(device, { count, groups: isSoftware ? 64 : 4096 }));
  }
  return best;
}

async function chainRate(
  device: GPUDevice,
  { count, groups }: { count: number; groups: number },
): Promise<number> {
  const steps = 1024;
  const chains = Array.from({ length: count }, (_, i) => `c${i}`);
  const code = `@group(0) @binding(0) var<storage, read_write> out: array<vec4<f32>>;
@compute @workgroup_size(${THREADS}) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let x = vec4<f32>(f32(id.x) * 1e-9);
  ${chains.map((c, i) => `var ${c} = x + ${i}.0;`).join(" ")}
  for (var k = 0; k < ${steps / 8}; k++) {
    ${chains.map((c) => `${c} = fma(${c}, x, x); `.repeat(8)).join("\n")}
  }
  out[id.x] = ${chains.join(" + ")};
}`;
  const pipeline = pipelineOf(device, code);
  const size = groups * THREADS * 16;
  const buffer = device.createBuffer({ size, usage: GPUBufferUsage.STORAGE });
  const bindGroup = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [{ binding: 0, resource: { buffer } }],
  });
  const ms = await passMilliseconds(device, (pass) => {
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(groups);
  });
  buffer.destroy();
  return groups * THREADS * steps * count * 8 / ms / 1e6;
}

/** GB/s of a kernel that copies, read and written counted. */
export async function copyCeiling(device: GPUDevice, isSoftware: boolean): Promise<number> {
  const bytes = Math.min(
    isSoftware ? COPY_BYTES / 8 : COPY_BYTES,
    device.limits.maxStorageBufferBindingSize,
    device.limits.maxBufferSize,
  );
  const pipeline = pipelineOf(
    device,
    `@group(0) @binding(0) var<storage, read> from_: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> to_: array<vec4<f32>>;
@compute @workgroup_size(${THREADS}) fn main(@builtin(global_invocation_id) id: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.y * (groups.x * ${THREADS}u) + id.x;
  if (i < arrayLength(&to_)) { to_[i] = from_[i]; }
}`,
  );
  const usage = GPUBufferUsage.STORAGE;
  const [from, to] = [0, 1].map(() => device.createBuffer({ size: bytes, usage }));
  const bindGroup = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [from, to].map((buffer, binding) => ({ binding, resource: { buffer } })),
  });
  const groups = Math.ceil(bytes / 16 / THREADS);
  const ms = await passMilliseconds(device, (pass) => {
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(Math.ceil(groups / 64), 64);
  });
  from.destroy();
  to.destroy();
  return 2 * bytes / ms / 1e6;
}

function pipelineOf(device: GPUDevice, code: string): GPUComputePipeline {
  const module = device.createShaderModule({ code });
  return device.createComputePipeline({ layout: "auto", compute: { module } });
}
