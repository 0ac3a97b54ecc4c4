// Answers /api/sample?seed=7 with 16 images as one PNG, drawn on the server.
import { join } from "node:path";
import { Sampler, UserError } from "ganforge/sampler";

export const runtime = "nodejs"; // ONNX Runtime reads its files; the edge runtime has none

let loading; // the generator stays loaded between requests

export async function GET(request) {
  const seed = Number(new URL(request.url).searchParams.get("seed") ?? 0);
  try {
    loading ??= Sampler.load(join(process.cwd(), "public/generator.onnx"), {
      device: "wasm",
    });
    const sampler = await loading;
    const png = await (await sampler.sample({ count: 16, seed })).grid()
      .toPng();
    return new Response(png, { headers: { "content-type": "image/png" } });
  } catch (error) {
    if (error instanceof UserError) {
      return new Response(error.message, { status: 400 });
    }
    throw error;
  }
}
