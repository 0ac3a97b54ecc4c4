/** The part of `jsr:@std/cli` that ganforge uses. */
export * from "./parse_args.ts";
