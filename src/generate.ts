/**
 * Code from types: TypeScript, C, Rust, Go and Python definitions with the kernel's layout, and volatility's symbols.
 *
 * @module btfkit/generate
 */

export { type GenerateOptions, generate, LANGUAGES, type Language } from "./generate/generate.js";
