/**
 * Values that change with the images seen: the weight of R1 and R2, Adam's beta2, the half-life of the EMA,
 * the probability of augmentation. The host computes them, and a step takes them as inputs, so that no
 * engine compiles anything anew.
 */
import { DEFAULTS } from "../config/defaults.ts";
import type { OptimizerSpec } from "../config/optimizer.ts";
import type { RunConfig } from "../config/run_config.ts";
import type { RampSpec, SchedulesSpec } from "../config/schedules.ts";
import { UserError } from "../errors.ts";

/** What of a config scheduled values depend on. */
export type ScheduledConfig = Pick<
  RunConfig,
  | "augment"
  | "discriminatorOptimizer"
  | "ema"
  | "generatorOptimizer"
  | "objective"
  | "schedules"
>;

/** Which values can be scheduled; the names are also those of the run's metrics. */
type ScheduledName = keyof SchedulesSpec;

/**
 * The value of a ramp: `to + (from - to) (1 + cos(pi t)) / 2` along a cosine, `from + (to - from) t` along
 * a line, `t = images / ramp.images` up to 1.
 * @param from the ramp's start where it names none
 * @param images seen so far
 */
export function rampValue(ramp: RampSpec, from: number, images: number): number {
  const { to, shape = DEFAULTS.schedule.rampShape } = ramp;
  const start = ramp.from ?? from;
  const t = Math.min(1, images / ramp.images);
  return shape === "linear"
    ? start + (to - start) * t
    : to + (start - to) * (1 + Math.cos(Math.PI * t)) / 2;
}

/**
 * The scheduled values, by name; those without a schedule are left out.
 * @param images real ones, seen so far
 */
export function scheduledValues(
  config: ScheduledConfig,
  images: number,
): Partial<Record<ScheduledName, number>> {
  const values: Partial<Record<ScheduledName, number>> = {};
  for (const [name, ramp] of scheduleEntries(config)) {
    const own = OWN_VALUES[name].of(config);
    values[name] = rampValue(ramp, own ?? ramp.to, images);
  }
  return values;
}

function scheduleEntries({ schedules = {} }: ScheduledConfig): [ScheduledName, RampSpec][] {
  return Object.entries(schedules) as [ScheduledName, RampSpec][];
}

/** An optimizer with the scheduled beta2, where it has one. */
export function withBeta2(spec: OptimizerSpec, beta2: number | undefined): OptimizerSpec {
  return spec.type === "adam" && beta2 !== undefined ? { ...spec, beta2 } : spec;
}

/** For each value, the option that it starts from, and what a config lacks that has none. */
const OWN_VALUES: Readonly<
  Record<
    ScheduledName,
    { of: (config: ScheduledConfig) => number | undefined; lacks: string }
  >
> = {
  gamma: {
    of: ({ objective: { r1, r2 } }) => r1?.gamma ?? r2?.gamma,
    lacks: "objective has neither r1 nor r2",
  },
  beta2: {
    of: (config) =>
      [config.discriminatorOptimizer, config.generatorOptimizer].map((spec) =>
        spec.type === "adam" ? spec.beta2 ?? DEFAULTS.adam.beta2 : undefined
      ).find((beta2) => beta2 !== undefined),
    lacks: "neither optimizer is adam",
  },
  emaHalfLifeImages: { of: ({ ema }) => ema?.halfLifeImages, lacks: "ema is off" },
  augmentProbability: {
    of: ({ augment }) =>
      augment && !augment.adaptive
        ? augment.probability ?? DEFAULTS.augment.probability
        : undefined,
    lacks: "augment is off, or adaptive",
  },
};

/**
 * Refuses a schedule of what a run does not have.
 * @throws {UserError} that names it
 */
export function checkSchedules(config: ScheduledConfig): void {
  for (const [name] of scheduleEntries(config)) {
    const { of, lacks } = OWN_VALUES[name];
    if (of(config) !== undefined) continue;
    throw new UserError(
      `Cannot schedule ${name}: ${lacks}; leave schedules.${name} out, or set what it changes`,
    );
  }
}
