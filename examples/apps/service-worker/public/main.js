// Starts the service worker, then shows an image that it draws: an address like any other.
await navigator.serviceWorker.register("sw.js", { type: "module" });
await navigator.serviceWorker.ready;
if (navigator.serviceWorker.controller === null) {
  await new Promise((resolve) => {
    navigator.serviceWorker.addEventListener("controllerchange", resolve, {
      once: true,
    });
  });
}
const image = new Image();
image.src = "sample/7.png";
image.alt = "16 samples";
document.querySelector("#images").append(image);
