/** Copies a buffer's contents to the host. */

/**
 * Waits for a buffer's contents and copies them.
 * @param check throws what the device reported, which explains a failure better than the failure
 */
export async function readMapped(
  buffer: GPUBuffer,
  sizeBytes: number,
  check: () => void,
): Promise<ArrayBuffer> {
  try {
    await buffer.mapAsync(GPUMapMode.READ, 0, sizeBytes);
  } catch (error) {
    await new Promise((resolve) => setTimeout(resolve)); // until the device has reported its loss
    check();
    throw error;
  }
  const data = buffer.getMappedRange(0, sizeBytes).slice(0);
  buffer.unmap();
  return data;
}
