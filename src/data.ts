/**
 * btfkit/data: the bytes of a map, an event or a dump of memory as values of their type, and back; and as text.
 *
 * @module btfkit/data
 */
export { type Decoder, decode, decoderOf } from "./data/decode.js";
export { type Encoder, encode, encoderOf } from "./data/encode.js";
export { BtfDataError } from "./data/error.js";
export type { LongDouble } from "./data/float.js";
export type { DecodeOptions, EncodeOptions, Value } from "./data/options.js";
export { type FormatDataOptions, type FormattedData, formatData } from "./data/text/c.js";
export { type FormatJsonOptions, formatJson, jsonFormatterOf } from "./data/text/json.js";
