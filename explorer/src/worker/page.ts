/** What a type's page says before any tab is opened. */
import { BtfError, type BtfType, declaration, resolve, sizeOf } from "btfkit";
import { type Layout, layout, pack } from "btfkit/inspect";
import type { LayoutFacts, TypePage, TypeRef } from "../protocol.js";
import { codeOf } from "./code.js";
import { type OpenKernel, typeOf } from "./kernels.js";

export function page({ ref }: { ref: TypeRef }): TypePage {
  const { kernel, type } = typeOf(ref);
  const { facts: layoutFacts, error } = layoutOf(type);
  return {
    ref: kernel.refOf(type),
    kind: type.kind,
    name: type.name,
    title: titleOf(type),
    file: kernel.images[kernel.refOf(type).image]!.name,
    others: othersOf(kernel, type),
    code: safely(
      () => codeOf(kernel, type),
      (message) => [{ text: `/* ${message} */`, role: "comment" as const }],
    ),
    layout: layoutFacts,
    layoutError: error,
    facts: safely(
      () => factsOf(type),
      (message) => [["error", message]],
    ),
  };
}

function safely<T>(make: () => T, failed: (message: string) => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof BtfError)) throw error;
    return failed(error.message);
  }
}

export function titleOf({ kind, name }: BtfType): string {
  const words = kind === "enum64" ? "enum" : kind;
  return `${words} ${name || "(anonymous)"}`;
}

function othersOf(kernel: OpenKernel, type: BtfType): TypeRef[] {
  if (!type.name) return [];
  const seen = new Map<string, TypeRef>();
  for (const btf of kernel.btfs) {
    for (const other of btf.findAll(type.name, type.kind)) {
      const ref = kernel.refOf(other);
      if (other !== type) seen.set(`${ref.image} ${ref.id}`, ref);
    }
  }
  return [...seen.values()].slice(0, 20);
}

function layoutOf(type: BtfType): { readonly facts?: LayoutFacts; readonly error?: string } {
  const composite = safely(
    () => (type.kind === "typedef" ? resolve(type) : type),
    () => undefined,
  );
  if (composite?.kind !== "struct" && composite?.kind !== "union") return {};
  return safely<ReturnType<typeof layoutOf>>(
    () => ({ facts: layoutFacts(composite, layout(composite)) }),
    (error) => ({ error }),
  );
}

function layoutFacts(type: BtfType, { byteSize, alignment, isPacked, statistics }: Layout): LayoutFacts {
  const { cachelines, members, holes, holeBytes, bitHoles, holeBits, paddingBytes } = statistics;
  const packed =
    type.kind === "struct" && holes > 0
      ? safely(
          () => pack(type).packedByteSize,
          () => byteSize,
        )
      : byteSize;
  const packsTo = packed < byteSize ? packed : undefined;
  return {
    byteSize,
    cachelines,
    members,
    holes,
    holeBytes,
    bitHoles,
    holeBits,
    paddingBytes,
    alignment,
    isPacked,
    packsTo,
  };
}

function factsOf(type: BtfType): [string, string][] {
  const facts: [string, string][] = [];
  const size = sizeOf(type);
  if (size !== undefined) facts.push(["size", `${size.toLocaleString("en")} B`]);
  switch (type.kind) {
    case "int":
      facts.push([
        "encoding",
        [type.isSigned ? "signed" : "unsigned", type.isChar && "char", type.isBool && "bool"].filter(Boolean).join(" "),
      ]);
      facts.push(["bits", String(type.bitSize)]);
      break;
    case "enum":
    case "enum64":
      facts.push(["values", String(type.values.length)], ["signed", type.isSigned ? "yes" : "no"]);
      break;
    case "typedef":
      facts.push(["is", declaration(resolve(type)).split("\n", 1)[0]!]);
      break;
    case "func":
    case "var":
      facts.push(["linkage", type.linkage]);
      break;
    case "datasec":
      facts.push(["variables", String(type.variables.length)]);
  }
  facts.push(["id", String(type.id)]);
  return facts;
}
