/** Looks for a GPU that is worth using. */

interface Gpu {
  requestAdapter(options: { powerPreference: string }): Promise<
    {
      info?: { isFallbackAdapter?: boolean; description?: string; vendor?: string };
      isFallbackAdapter?: boolean;
    } | null
  >;
}

/** The GPU's name, or why there is none; a software adapter is one only when it is asked for. */
export async function findGpu(
  acceptSoftware: boolean,
): Promise<{ adapter: string | null } | { missing: string }> {
  const { gpu } = (globalThis.navigator ?? {}) as { gpu?: Gpu };
  if (gpu === undefined) return { missing: "there is no WebGPU here" };
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" }).catch(() =>
    null
  );
  if (adapter === null) return { missing: "WebGPU has no adapter here" };
  const { description, vendor } = adapter.info ?? {};
  const software = adapter.isFallbackAdapter === true || adapter.info?.isFallbackAdapter === true ||
    /llvmpipe|swiftshader|lavapipe/i.test(description ?? "");
  if (software && !acceptSoftware) return { missing: "WebGPU has only a software adapter here" };
  return { adapter: description || vendor || null };
}
