/** Where each member of a type is, kernel by kernel. */
import type { BtfType } from "btfkit";
import { sizeOf } from "btfkit";
import { history, type Layout, layout, type MemberState } from "btfkit/inspect";
import { kernelLabel } from "../label.js";
import type { HistoryTable, TypeRef } from "../protocol.js";
import { kernelOf, type OpenKernel, typeOf } from "./kernels.js";
import { pathOf } from "./shape.js";

export function historyOf({ ref, kernels }: { ref: TypeRef; kernels: readonly number[] }): HistoryTable {
  const { type } = typeOf(ref);
  const opened = kernels.map(kernelOf);
  // Kernels of one name would be one column.
  const columns = opened.map(({ btfs }, i) => ({ name: String(i), btfs }));
  const same = opened.map((kernel) => namesake(kernel, type));
  const paths = new Set(same.flatMap((one) => (one ? pathsOf(one) : [])));
  const asked = [...paths].map((path) => `${type.name}.${path}`);
  const labels = opened.map(({ origin }) => kernelLabel(origin));
  const label = (column: string | undefined): string | undefined =>
    column === undefined ? undefined : labels[Number(column)];
  return {
    kernels: opened.map(({ kernel }, i) => ({ kernel, name: labels[i]!, byteSize: same[i] && sizeOf(same[i]) })),
    rows: history(asked, columns).map(({ member, states, since, until, movedTo }) => ({
      member: member.slice(type.name.length + 1),
      since: label(since),
      until: label(until),
      movedTo: movedTo && guessText(movedTo),
      cells: states.map((state, i) => ({
        text: textOf(state),
        type: state.type ?? "",
        isNew: i > 0 && (textOf(state) !== textOf(states[i - 1]!) || state.type !== states[i - 1]!.type),
      })),
    })),
  };
}

function namesake({ btfs }: OpenKernel, { kind, name }: BtfType): BtfType | undefined {
  for (const btf of btfs) {
    const found = name ? btf.find(name, kind) : undefined;
    if (found) return found;
  }
  return undefined;
}

/** The members of a type, those of anonymous ones too. */
export function pathsOf(type: BtfType): string[] {
  const collect = ({ members }: Layout, parent: string): string[] =>
    members.flatMap((member) => {
      const path = pathOf(member, parent);
      return [...(member.name ? [path] : []), ...(member.nested ? collect(member.nested, path) : [])];
    });
  return collect(layout(type), "");
}

export function guessText({ path, confidence }: { readonly path: string; readonly confidence: number }): string {
  return `${path} (${Math.round(confidence * 100)}% sure)`;
}

export function textOf({ state, bitOffset = 0, bitSize, bitfieldSize }: MemberState): string {
  if (state === "no-type") return "";
  if (state === "no-member") return "–";
  const bit = bitfieldSize ? `:${bitOffset % 8}` : "";
  const size = bitfieldSize ? ` · ${bitfieldSize} bit` : bitSize === undefined ? "" : ` · ${bitSize / 8} B`;
  return `${Math.floor(bitOffset / 8).toLocaleString("en")}${bit}${size}`;
}
