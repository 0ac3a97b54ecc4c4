/**
 * TensorBoard's events as protobuf messages: scalars, images, text, and the hyper-parameters of the
 * HParams page. Field numbers are those of TensorFlow's event.proto, summary.proto and tensor.proto and
 * of TensorBoard's plugins/hparams/plugin_data.proto.
 */
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

/** One value of an event. */
export type SummaryValue =
  | { tag: string; scalar: number }
  | { tag: string; image: { png: Uint8Array; height: number; width: number; channels: number } }
  | { tag: string; text: string };

/** What an event says. */
export type EventContent =
  /** The first event of a file. */
  | { fileVersion: "brain.Event:2" }
  /** Values at a step. */
  | { step: number; values: readonly SummaryValue[] }
  /** The run starts at a step: what an earlier file has from there on does not count. */
  | { startAt: number }
  /** The hyper-parameters, and the scalars that runs are compared by. */
  | { hyperparameters: Hyperparameters }
  /** The run has ended. */
  | { end: "success" | "failure" };

/** What the HParams page shows of a run. */
export interface Hyperparameters {
  /** Values by name, such as `batchSize`. */
  values: Readonly<Record<string, number | string | boolean>>;
  /** Tags of scalars. */
  metrics: readonly string[];
  /** Names the run. */
  group: string;
}

/** One event, encoded. @param wallSeconds since 1970 */
export function encodeEvents(content: EventContent, wallSeconds: number): Uint8Array[] {
  if ("fileVersion" in content) {
    return [event(wallSeconds, 0, (out) => text(out, 3, content.fileVersion))];
  }
  if ("values" in content) {
    const summary = message((out) => {
      for (const value of content.values) nested(out, 1, encodeValue(value));
    });
    return [event(wallSeconds, content.step, (out) => nested(out, 5, summary))];
  }
  if ("startAt" in content) {
    const session = message((out) => out.tag(1, WireType.Varint).int32(1)); // SessionLog.START
    return [event(wallSeconds, content.startAt, (out) => nested(out, 7, session))];
  }
  if ("end" in content) {
    const ended = message((out) => {
      out.tag(1, WireType.Varint).int32(content.end === "success" ? 1 : 2); // Status
      out.tag(2, WireType.Bit64).double(wallSeconds);
    });
    return [pluginEvent(wallSeconds, "_hparams_/session_end_info", { field: 4, data: ended })];
  }
  const { experiment, start } = encodeHyperparameters(content.hyperparameters, wallSeconds);
  return [
    pluginEvent(wallSeconds, "_hparams_/experiment", { field: 2, data: experiment }),
    pluginEvent(wallSeconds, "_hparams_/session_start_info", { field: 3, data: start }),
  ];
}

function encodeValue(value: SummaryValue): Uint8Array {
  return message((out) => {
    text(out, 1, value.tag);
    if ("scalar" in value) {
      out.tag(2, WireType.Bit32).float(value.scalar);
    } else if ("image" in value) {
      const { png, height, width, channels } = value.image;
      nested(
        out,
        4,
        message((image) => {
          image.tag(1, WireType.Varint).int32(height);
          image.tag(2, WireType.Varint).int32(width);
          image.tag(3, WireType.Varint).int32(channels);
          image.tag(4, WireType.LengthDelimited).bytes(png);
        }),
      );
    } else {
      nested(out, 9, pluginMetadata("text"));
      nested(out, 8, stringTensor(value.text));
    }
  });
}

/** A TensorProto that holds one string. */
function stringTensor(value: string): Uint8Array {
  const size = message((out) => out.tag(1, WireType.Varint).int64(1));
  return message((out) => {
    out.tag(1, WireType.Varint).int32(7); // DT_STRING
    nested(out, 2, message((shape) => nested(shape, 2, size)));
    text(out, 8, value);
  });
}

/** SummaryMetadata that names a plugin. */
function pluginMetadata(name: string, content?: Uint8Array): Uint8Array {
  return message((out) =>
    nested(
      out,
      1,
      message((plugin) => {
        text(plugin, 1, name);
        if (content) nested(plugin, 2, content);
      }),
    )
  );
}

/** An event without a value, whose metadata hold a message of the HParams plugin. */
function pluginEvent(
  wallSeconds: number,
  tag: string,
  { field, data }: { field: number; data: Uint8Array },
): Uint8Array {
  const content = message((out) => {
    out.tag(1, WireType.Varint).int32(0); // the version of HParamsPluginData
    nested(out, field, data);
  });
  const value = message((out) => {
    text(out, 1, tag);
    nested(out, 9, pluginMetadata("hparams", content));
  });
  return event(
    wallSeconds,
    0,
    (out) => nested(out, 5, message((summary) => nested(summary, 1, value))),
  );
}

function encodeHyperparameters(
  { values, metrics, group }: Hyperparameters,
  wallSeconds: number,
): { experiment: Uint8Array; start: Uint8Array } {
  const types = { string: 1, boolean: 2, number: 3 } as const; // DataType
  const experiment = message((out) => {
    out.tag(4, WireType.Bit64).double(wallSeconds);
    for (const [name, value] of Object.entries(values)) {
      nested(
        out,
        5,
        message((info) => {
          text(info, 1, name);
          info.tag(4, WireType.Varint).int32(types[typeof value as keyof typeof types]);
        }),
      );
    }
    for (const tag of metrics) {
      const metricName = message((name) => text(name, 2, tag));
      nested(out, 6, message((info) => nested(info, 1, metricName)));
    }
  });
  const start = message((out) => {
    for (const [name, value] of Object.entries(values)) {
      nested(
        out,
        1,
        message((entry) => {
          text(entry, 1, name);
          nested(entry, 2, structValue(value));
        }),
      );
    }
    text(out, 4, group);
    out.tag(5, WireType.Bit64).double(wallSeconds);
  });
  return { experiment, start };
}

/** A google.protobuf.Value. */
function structValue(value: number | string | boolean): Uint8Array {
  return message((out) => {
    if (typeof value === "number") out.tag(2, WireType.Bit64).double(value);
    else if (typeof value === "string") text(out, 3, value);
    else out.tag(4, WireType.Varint).bool(value);
  });
}

function event(
  wallSeconds: number,
  step: number,
  what: (out: BinaryWriter) => void,
): Uint8Array {
  return message((out) => {
    out.tag(1, WireType.Bit64).double(wallSeconds);
    if (step) out.tag(2, WireType.Varint).int64(step);
    what(out);
  });
}

function message(write: (out: BinaryWriter) => void): Uint8Array {
  const out = new BinaryWriter();
  write(out);
  return out.finish();
}

function nested(out: BinaryWriter, field: number, data: Uint8Array): void {
  out.tag(field, WireType.LengthDelimited).bytes(data);
}

function text(out: BinaryWriter, field: number, value: string): void {
  out.tag(field, WireType.LengthDelimited).string(value);
}
