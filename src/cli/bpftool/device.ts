/** What an offloaded map or program says of its device. */
import type { JsonWriter } from "./json-writer.js";
import { interfaceName } from "./session.js";

interface OnDevice {
  readonly interfaceIndex: number;
  readonly networkNamespace: { readonly device: bigint; readonly inode: bigint };
}

export function deviceJson(json: JsonWriter, { interfaceIndex, networkNamespace }: OnDevice): void {
  if (!interfaceIndex) return;
  const { device, inode } = networkNamespace;
  json.name("dev").startObject().field("ifindex", interfaceIndex).field("ns_dev", device).field("ns_inode", inode);
  const name = interfaceName(interfaceIndex, device, inode);
  if (name) json.stringField("ifname", name);
  json.endObject();
}

export function deviceText({ interfaceIndex, networkNamespace }: OnDevice): string {
  if (!interfaceIndex) return "";
  const { device, inode } = networkNamespace;
  const name = interfaceName(interfaceIndex, device, inode);
  return `  offloaded_to ${name ?? `ifindex ${interfaceIndex} ns_dev ${device} ns_ino ${inode}`}`;
}
