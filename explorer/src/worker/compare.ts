/** Two kernels: what is added, removed and changed, and one definition side by side. */
import { type ChangedDefinition, type Definition, type Difference, diff, type MemberPlace } from "btfkit/inspect";
import type { ComparedDefinition, ComparedPart, ComparedSide, Comparison } from "../protocol.js";
import { kernelOf } from "./kernels.js";

interface Pair {
  readonly old: number;
  readonly new: number;
}

/** The pair that was compared last. */
let latest: (Pair & { readonly difference: Difference }) | undefined;

function differenceOf({ old, new: now }: Pair): Difference {
  if (latest?.old !== old || latest.new !== now) {
    latest = { old, new: now, difference: diff(kernelOf(old).btfs, kernelOf(now).btfs) };
  }
  return latest.difference;
}

export function compare(pair: Pair): Comparison {
  const start = performance.now();
  const { added, removed, changed } = differenceOf(pair);
  const rows = (["added", "removed", "changed"] as const).flatMap((state) => {
    const list: readonly Definition[] = { added, removed, changed }[state];
    return list.map(({ kind, name }) => ({ state, kind, name }));
  });
  return { rows, milliseconds: performance.now() - start };
}

export function compareOne({ old, new: now, kind, name }: Pair & Definition): ComparedDefinition {
  const isIt = (definition: Definition): boolean => definition.kind === kind && definition.name === name;
  const { added, removed, changed, renamed } = diff(kernelOf(old).btfs, kernelOf(now).btfs, {
    kinds: [kind],
    filter: isIt,
    impact: true,
  });
  const change = changed.find(isIt);
  const lone = added.find(isIt) ?? removed.find(isIt);
  const renamedTo = renamed.find(isIt)?.to;
  const impact = (change ?? lone)?.impact;
  return {
    kind,
    name,
    state: change ? "changed" : added.some(isIt) ? "added" : removed.some(isIt) ? "removed" : "same",
    ...(change?.byteSize && { byteSize: change.byteSize }),
    parts: change ? partsOf(change) : [],
    ...(impact && { impact }),
    ...(renamedTo && { renamedTo }),
  };
}

function partsOf({
  members = [],
  enumerators = [],
  parameters = [],
  type,
  definitions,
}: ChangedDefinition): ComparedPart[] {
  const text = (name: string, type: string, place: string): ComparedSide => ({ name, type, place });
  return [
    ...(definitions
      ? [
          {
            changes: ["definitions"],
            old: text("", `${definitions.old} definitions`, ""),
            new: text("", `${definitions.new} definitions`, ""),
          },
        ]
      : []),
    ...(type ? [{ changes: ["retyped"], old: text("", type.old, ""), new: text("", type.new, "") }] : []),
    ...members.map((one) => ({
      changes: one.changes,
      ...(one.old && { old: sideOf(one.old) }),
      ...(one.new && { new: sideOf(one.new) }),
    })),
    ...enumerators.map((one) => ({
      changes: one.changes,
      ...(one.old && { old: text(one.old.name, "", String(one.old.value)) }),
      ...(one.new && { new: text(one.new.name, "", String(one.new.value)) }),
    })),
    ...parameters.map((one) => ({
      changes: one.changes,
      ...(one.old && { old: text(one.old.name, one.old.type, `#${one.old.index}`) }),
      ...(one.new && { new: text(one.new.name, one.new.type, `#${one.new.index}`) }),
    })),
  ];
}

function sideOf({ name, type, bitOffset, bitSize, bitfieldSize }: MemberPlace): ComparedSide {
  const bit = bitOffset % 8;
  const place = `${Math.floor(bitOffset / 8)}${bitfieldSize || bit ? `:${bit}` : ""}`;
  const size = bitfieldSize ? `${bitfieldSize} bit` : bitSize === undefined ? "" : `${bitSize / 8} B`;
  return { name, type, place: size ? `${place} · ${size}` : place };
}
