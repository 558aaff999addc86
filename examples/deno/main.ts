// deno run --allow-read main.ts FILE TYPE: where the members of a struct lie. In a project of your own the import map
// has "btfkit": "npm:btfkit" alone.

import { layout } from "btfkit/inspect";
import { openImageFile } from "btfkit/node";

const [file = "/sys/kernel/btf/vmlinux", name = "list_head"] = Deno.args;
const { btf } = await openImageFile(file);
const { byteSize, members } = layout(btf.require(name, "struct"));
console.log(`struct ${name}: ${byteSize} bytes`);
for (const { name, bitOffset, typeText } of members) console.log(String(bitOffset / 8).padStart(6), typeText, name);
