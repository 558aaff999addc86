export function tar(files: Readonly<Record<string, Uint8Array | string>>): Uint8Array<ArrayBuffer>;
