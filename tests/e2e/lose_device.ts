/**
 * Preloaded by device_lost_test.ts into a task: the WebGPU device is lost at its 20th submission, as when
 * a driver resets.
 */
const SUBMISSIONS = 20;
let count = 0;
const { requestDevice } = GPUAdapter.prototype;
GPUAdapter.prototype.requestDevice = async function (descriptor) {
  const device = await requestDevice.call(this, descriptor);
  const { submit } = GPUQueue.prototype;
  GPUQueue.prototype.submit = function (buffers) {
    submit.call(this, buffers);
    if (++count === SUBMISSIONS) device.destroy();
  };
  return device;
};
