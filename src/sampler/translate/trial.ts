/** First runs of a file that makes images from images: on black, and on the images of its self-test. */
import { fillNoise, fillSelfTestImage } from "../../random/latents.ts";
import { UserError } from "../../errors.ts";
import type { TranslatorManifest } from "../../model_manifest.ts";
import { compareFirstValues } from "../self_test.ts";
import type { FedTensor, RawOutput, Runtime } from "../session.ts";
import type { Translator } from "./translate.ts";
import type { DescribedTranslator, TranslatorInfo } from "./translator_info.ts";

/** Sides of a trial's image are at least this. */
const TRIAL_SIDE = 32;

/** The size of a trial's image. */
export function trialSize(
  { input: { height, width, multiple } }: Pick<TranslatorInfo, "input">,
): { height: number; width: number } {
  const side = Math.ceil(TRIAL_SIDE / multiple) * multiple;
  return { height: height ?? side, width: width ?? side };
}

/** Runs a file on black images. */
export async function runBlack(
  runtime: Runtime,
  { info, plan }: DescribedTranslator,
): Promise<RawOutput> {
  const { height, width } = trialSize(info);
  const { channels, range } = info.input;
  const count = plan.fixedBatch ?? 1;
  const shape = plan.inputLast ? [height, width, channels] : [channels, height, width];
  const values = new Float32Array(count * channels * height * width).fill(range[0]);
  const fed: FedTensor[] = [
    { name: plan.inputName, type: plan.inputType, values, shape: [count, ...shape] },
  ];
  if (plan.noise !== null) {
    const { name, size } = plan.noise;
    const noise = new Float32Array(count * size);
    fed.push({ name, type: "float32", values: noise, shape: [count, size] });
  }
  return await runtime.execute(fed, plan.outputName);
}

/**
 * Runs the self-test of a file's manifest.
 * @returns the largest |difference|
 * @throws {UserError} if it is too large
 */
export async function testTranslator(
  { info, plan, runtime, name }: Translator,
  { selfTest, image: { channels, range } }: TranslatorManifest,
): Promise<number> {
  const { seeds, height, width } = selfTest;
  const size = channels * height * width;
  const images = new Float32Array(seeds.length * size);
  const noiseSize = plan.noise?.size ?? 0;
  const noise = new Float32Array(seeds.length * noiseSize);
  seeds.forEach((seed, index) => {
    fillSelfTestImage(images.subarray(index * size, (index + 1) * size), { seed, range });
    if (noiseSize) fillNoise(noise.subarray(index * noiseSize, (index + 1) * noiseSize), seed);
  });
  const fed: FedTensor[] = [{
    name: plan.inputName,
    type: plan.inputType,
    values: images,
    shape: [seeds.length, channels, height, width],
  }];
  if (plan.noise !== null) {
    const shape = [seeds.length, noiseSize];
    fed.push({ name: plan.noise.name, type: "float32", values: noise, shape });
  }
  const { data } = await runtime.execute(fed, plan.outputName);
  const { channels: outChannels, factor } = info.output;
  const length = outChannels * height * width * factor ** 2;
  if (data.length !== seeds.length * length) {
    throw new UserError(
      `Cannot trust ${name} on this device: its self-test gives ${data.length} values, expected ${
        seeds.length * length
      }`,
    );
  }
  const found = seeds.map((_, index) => data.subarray(index * length, (index + 1) * length));
  return compareFirstValues(found, selfTest, name);
}
