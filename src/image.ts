/**
 * Kernel images, packages and modules as they are distributed: BTF out of whatever holds it.
 *
 * @module btfkit/image
 */
export type { ArchiveKind } from "./container/archive.js";
export type { BootKind } from "./container/boot.js";
export type { FoundBtf, ImageStep } from "./container/find.js";
export {
  extractBtf,
  extractBtfFromFolder,
  type ImageFile,
  type KernelImage,
  type OpenedModules,
  openImage,
  openImageFolder,
  openModules,
} from "./container/image.js";
export type { ImageOptions } from "./container/options.js";
export type { ImageModule } from "./container/package.js";
export type { ImageCompression } from "./unpack/magic.js";
export type { BytesInput } from "./unpack/reader.js";
