/** ONNX Runtime's own types, for every room that speaks with it. Types only: nothing is loaded. */
import type * as Ort from "onnxruntime-web";

/** ONNX Runtime's module; all of its packages and builds have the same API. */
export type OrtModule = typeof Ort;

/** A tensor of ONNX Runtime. */
export type OrtTensor = Ort.Tensor;

/** A model that is ready to run. */
export type OrtSession = Ort.InferenceSession;

/** How a session is made. */
export type OrtSessionOptions = Ort.InferenceSession.SessionOptions;

/** What a session knows about one of its inputs or outputs. */
export type OrtValueMetadata = Ort.InferenceSession.ValueMetadata;
