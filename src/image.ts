/**
 * Kernel images, packages and modules as they are distributed: BTF out of whatever holds it.
 *
 * @module btfkit/image
 */

export type { BytesInput } from "./image/codecs/reader.js";
export type { ImageCompression } from "./image/codecs/registry.js";
export type { ArchiveKind } from "./image/containers/archive.js";
export type { BootKind } from "./image/containers/boot.js";
export type { FoundBtf, ImageStep } from "./image/containers/find.js";
export {
  extractBtf,
  extractBtfFromFolder,
  type ImageFile,
  type KernelImage,
  type OpenedModules,
  openImage,
  openImageFolder,
  openModules,
} from "./image/containers/image.js";
export type { ImageOptions } from "./image/containers/options.js";
export type { ImageModule } from "./image/containers/package.js";
