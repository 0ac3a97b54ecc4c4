/** Finds what a person probably meant by a name that is not known. */
import { distance } from "fastest-levenshtein";

/** Names that other programs and papers use, without separators, and ours for the same. */
const SYNONYMS: Readonly<Record<string, readonly string[]>> = {
  // devices
  cuda: ["webgpu"],
  gpu: ["webgpu"],
  metal: ["webgpu"],
  mps: ["webgpu"],
  vulkan: ["webgpu"],
  wasm: ["cpu"],
  // options
  batch: ["batchSize"],
  bs: ["batchSize"],
  betas: ["beta1"],
  classes: ["classCount"],
  dim: ["dimension"],
  epoch: ["epochs"],
  eps: ["epsilon"],
  gp: ["gradientPenalty"],
  iterations: ["steps"],
  iters: ["steps"],
  kernelsize: ["kernel"],
  latentdim: ["dimension"],
  loss: ["objective", "name"],
  lr: ["learningRate"],
  lrschedule: ["learningRateSchedule"],
  mode: ["name", "mode"],
  ncritic: ["discriminatorSteps"],
  ngenerator: ["generatorSteps"],
  noise: ["instanceNoise"],
  numclasses: ["classCount"],
  optim: ["generatorOptimizer"],
  optimizer: ["generatorOptimizer"],
  outchannels: ["filters"],
  outfeatures: ["units"],
  scheduler: ["learningRateSchedule"],
  wd: ["weightDecay"],
  zdim: ["dimension"],
  // objectives
  bce: ["non-saturating"],
  lsgan: ["least-squares"],
  mse: ["least-squares"],
  rpgan: ["relativistic"],
  vanilla: ["non-saturating"],
  wgan: ["wasserstein"],
  wgangp: ["wasserstein"],
  // layers
  bn: ["batch-norm"],
  conv2d: ["conv"],
  convtranspose2d: ["conv-transpose"],
  deconv: ["conv-transpose"],
  fc: ["dense"],
  reflectionpad2d: ["pad"],
  skip: ["concat-skip"],
  unet: ["concat-skip"],
  linear: ["dense"],
  resblock: ["residual"],
  // initializers and activations
  glorot: ["glorot-uniform"],
  he: ["he-normal"],
  kaiming: ["he-normal"],
  lrelu: ["leaky-relu"],
  swish: ["silu"],
  xavier: ["glorot-uniform"],
  // measures
  fid: ["frechet"],
  kid: ["kernel"],
  swd: ["sliced"],
  // data
  cifar10: ["cifar-10"],
  folder: ["images"],
};

/** Shorter names are too alike to tell what was meant by a part of one. */
const MIN_PREFIX = 3;

/**
 * The name that was probably meant, if there is one: the same but for case and separators, a synonym, a
 * longer form of it, or the one with the smallest edit distance, if that is small.
 */
export function nearestName(name: string, names: readonly string[]): string | undefined {
  const same = sameName(name, names);
  if (same !== undefined) return same;
  const plain = plainName(name);
  const longer = names.filter((candidate) => plainName(candidate).startsWith(plain));
  if (plain.length >= MIN_PREFIX && longer.length === 1) return longer[0];
  const limit = Math.max(2, name.length / 3);
  let nearest: { candidate: string; steps: number } | undefined;
  for (const candidate of names) {
    const steps = distance(name.toLowerCase(), candidate.toLowerCase());
    const isNear = steps <= limit && steps <= name.length / 2;
    if (isNear && (nearest === undefined || steps < nearest.steps)) nearest = { candidate, steps };
  }
  return nearest?.candidate;
}

/** The name that is the same but for case and separators, or that a synonym stands for. */
export function sameName(name: string, names: readonly string[]): string | undefined {
  const plain = plainName(name);
  const same = names.find((candidate) => plainName(candidate) === plain);
  if (same !== undefined || !Object.hasOwn(SYNONYMS, plain)) return same;
  return SYNONYMS[plain].find((meant) => names.includes(meant));
}

/** ` (did you mean X?)`, or nothing. */
export function didYouMean(name: string, names: readonly string[]): string {
  const nearest = nearestName(name, names);
  return nearest === undefined ? "" : ` (did you mean ${nearest}?)`;
}

function plainName(name: string): string {
  return name.toLowerCase().replaceAll(/[-_ .]/g, "");
}
