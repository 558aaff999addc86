// bun main.ts FILE PATTERN: which structs hold a list, and how large they are.

import { relations } from "btfkit/inspect";
import { openFile } from "btfkit/node";

const [file = "/sys/kernel/btf/vmlinux", name = "list_head"] = process.argv.slice(2);
const btf = openFile(file);
const holders = relations(btf).holders("embeds", name);
console.log(`${holders.length} types embed ${name}`);
const largest = holders.map(({ type }) => type).sort((a, b) => Number(b.byteSize ?? 0) - Number(a.byteSize ?? 0));
for (const { kind, name, byteSize } of largest.slice(0, 10)) console.log(String(byteSize).padStart(8), kind, name);
