// Asks the service worker for 16 images. Messages of extensions are JSON, so pixels travel as numbers.
const { width, height, pixels, message } = await chrome.runtime
  .sendMessage({ seed: 7 }).catch((error) => error);
const status = document.querySelector("#status");
if (message) status.textContent = message;
else {
  const canvas = document.querySelector("canvas");
  canvas.width = width;
  canvas.height = height;
  const image = new ImageData(Uint8ClampedArray.from(pixels), width, height);
  canvas.getContext("2d").putImageData(image, 0, 0);
  status.textContent = "Drawn by the service worker";
}
