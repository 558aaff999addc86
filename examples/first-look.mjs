// Opens a real kernel's BTF and shows what it is: the running kernel's, or the
// sample that the repository carries.
import { existsSync } from "node:fs";
import { resolve, sizeOf, tally } from "btfkit";
import { openFile } from "btfkit/node";

const LIVE = "/sys/kernel/btf/vmlinux";
const SAMPLE = "test/data/vmlinux-6.1-cloud-amd64.btf.gz";
const MEMBERS = 16;

const file = process.argv[2] ?? (existsSync(LIVE) ? LIVE : SAMPLE);
const started = performance.now();
const btf = openFile(file);
const opened = performance.now();
const task = btf.require("task_struct", "struct");
const found = performance.now();

console.log(`${file}
${btf.byteLength} bytes, ${btf.size - 1} types, ${btf.endian} endian, pointers of ${btf.pointerSize} bytes
opened in ${(opened - started).toFixed(1)} ms, task_struct found in ${(found - opened).toFixed(1)} ms
`);

console.log(`${"KIND".padEnd(12)}${"COUNT".padStart(9)}${"BYTES".padStart(11)}`);
for (const { kind, count, bytes } of tally(btf)) {
  console.log(`${kind.toUpperCase().padEnd(12)}${String(count).padStart(9)}${String(bytes).padStart(11)}`);
}

/** A type as C writes it, short. */
function spell(type) {
  switch (type.kind) {
    case "ptr":
      return `${spell(type.target)} *`;
    case "array":
      return `${spell(type.element)}[${type.length}]`;
    case "const":
    case "volatile":
      return `${type.kind} ${spell(type.target)}`;
    case "struct":
    case "union":
    case "enum":
    case "enum64":
      return `${type.kind === "enum64" ? "enum" : type.kind} ${type.name || "{…}"}`;
    case "fwd":
      return `${type.forwardKind} ${type.name}`;
    case "type_tag":
      return spell(type.target);
    case "func_proto":
      return "function";
    default:
      return type.name;
  }
}

console.log(`\nstruct task_struct {  /* ${task.byteSize} bytes, ${task.members.length} members */`);
console.log(`  ${"OFFSET".padStart(6)} ${"SIZE".padStart(6)}`);
for (const { name, type, bitOffset, bitfieldSize } of task.members.slice(0, MEMBERS)) {
  const size = bitfieldSize ? `${bitfieldSize} bit` : String(sizeOf(type) ?? "?");
  const shown = name || `(anonymous ${resolve(type).kind})`;
  console.log(
    `  ${String(Math.floor(bitOffset / 8)).padStart(6)} ${size.padStart(6)}  ${shown.padEnd(24)} ${spell(type)}`,
  );
}
console.log("  …\n}");
