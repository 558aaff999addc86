/** Returns a name with what neither kernels nor C take in one replaced. */
export function identifier(name: string): string {
  return name.replace(/[^A-Za-z0-9_]/g, "_").replace(/^(?=\d)/, "_");
}
