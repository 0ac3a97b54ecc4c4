// The browser draws the first image, the server the second (app/api/sample/route.js).
"use client";

import { useEffect, useRef, useState } from "react";
import { Sampler } from "ganforge/sampler";

export default function Page() {
  const canvas = useRef(null);
  const [status, setStatus] = useState("Loads");

  useEffect(() => {
    const stopper = new AbortController();
    draw(canvas.current, stopper.signal).then(setStatus, (error) => {
      if (!stopper.signal.aborted) setStatus(error.message);
    });
    return () => stopper.abort(); // the person went to another page
  }, []);

  return (
    <main>
      <canvas ref={canvas} />
      <p id="status">{status}</p>
      <img src="/api/sample?seed=7" alt="16 samples, drawn by the server" />
    </main>
  );
}

async function draw(canvas, signal) {
  const sampler = await Sampler.load("/generator.onnx", {
    device: "wasm",
    signal,
  });
  const image = (await sampler.sample({ count: 16, seed: 7, signal })).grid()
    .toImageData();
  canvas.width = image.width;
  canvas.height = image.height;
  canvas.getContext("2d").putImageData(image, 0, 0);
  await sampler.dispose();
  return `Drawn on ${sampler.device.threads} threads`;
}
