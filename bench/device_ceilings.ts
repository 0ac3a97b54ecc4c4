/** What a WebGPU device does at most: arithmetic that never waits for memory, and plain copies. */

const ROUNDS = 12;
/** Bytes of a copy: past every cache of a CPU and most of a GPU. */
const COPY_BYTES = 64 << 20;

/** GFLOP/s of independent chains of fused multiply-adds; the best of several numbers of chains. */
export async function arithmeticCeiling(device: GPUDevice): Promise<number> {
  let best = 0;
  for (const count of [2, 3, 4, 8]) best = Math.max(best, await chainRate(device, count));
  return best;
}

async function chainRate(device: GPUDevice, count: number): Promise<number> {
  const [steps, groups, repeats] = [256, 512, 8];
  const chains = Array.from({ length: count }, (_, i) => `c${i}`);
  const code = `@group(0) @binding(0) var<storage, read_write> out: array<vec4<f32>>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let x = vec4<f32>(f32(id.x) * 1e-9);
  ${chains.map((c, i) => `var ${c} = x + ${i}.0;`).join(" ")}
  for (var k = 0; k < ${steps}; k++) { ${chains.map((c) => `${c} = fma(${c}, x, x);`).join(" ")} }
  out[id.x] = ${chains.join(" + ")};
}`;
  const pipeline = pipelineOf(device, code);
  const buffer = device.createBuffer({ size: groups * 64 * 16, usage: GPUBufferUsage.STORAGE });
  const bindGroup = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [{ binding: 0, resource: { buffer } }],
  });
  const ms = await fastest(device, (encoder) => {
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    for (let k = 0; k < repeats; k++) pass.dispatchWorkgroups(groups);
    pass.end();
  });
  buffer.destroy();
  return repeats * groups * 64 * steps * count * 8 / ms / 1e6;
}

/** GB/s read and written: the faster of a kernel that copies and the device's own copy. */
export async function copyCeiling(device: GPUDevice): Promise<number> {
  const pipeline = pipelineOf(
    device,
    `@group(0) @binding(0) var<storage, read> from_: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> to_: array<vec4<f32>>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.y * (groups.x * 64u) + id.x;
  to_[i] = from_[i];
}`,
  );
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  const [from, to] = [0, 1].map(() => device.createBuffer({ size: COPY_BYTES, usage }));
  const bindGroup = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [from, to].map((buffer, binding) => ({ binding, resource: { buffer } })),
  });
  const groups = COPY_BYTES / 16 / 64;
  const kernelMs = await fastest(device, (encoder) => {
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(groups / 4, 4);
    pass.end();
  });
  const copyMs = await fastest(
    device,
    (encoder) => encoder.copyBufferToBuffer(from, 0, to, 0, COPY_BYTES),
  );
  from.destroy();
  to.destroy();
  return 2 * COPY_BYTES / Math.min(kernelMs, copyMs) / 1e6;
}

function pipelineOf(device: GPUDevice, code: string): GPUComputePipeline {
  const module = device.createShaderModule({ code });
  return device.createComputePipeline({ layout: "auto", compute: { module } });
}

/** Milliseconds of the fastest of several submits. */
async function fastest(
  device: GPUDevice,
  encode: (encoder: GPUCommandEncoder) => void,
): Promise<number> {
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    const encoder = device.createCommandEncoder();
    encode(encoder);
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}
