/** What makes up the BTF, as a treemap. */
import { type HierarchyRectangularNode, hierarchy, treemap, treemapSquarify } from "d3-hierarchy";
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { grouped, megabytes } from "../numbers.js";
import type { SizeNode } from "../protocol.js";
import { kinds, text } from "../search-state.js";
import { current, isSearchOpen, showView } from "../state.js";
import { useAsked } from "./asked.js";

type By = "kind" | "subsystem" | "file";

const CHOICES: readonly (readonly [By, string])[] = [
  ["subsystem", "by subsystem"],
  ["kind", "by kind"],
  ["file", "by file"],
];

export function SizeMap() {
  const [by, setBy] = useState<By>("subsystem");
  const kernel = current.value!.kernel;
  const { value, failure } = useAsked("sizes", { kernel, by });
  return (
    <div class="size-map">
      <h1 class="unseen">What makes up this BTF</h1>
      <div class="padded map-head">
        <div class="tabs" role="group" aria-label="Group">
          {CHOICES.map(([choice, label]) => (
            <button key={choice} type="button" aria-pressed={choice === by} onClick={() => setBy(choice)}>
              {label}
            </button>
          ))}
        </div>
        {value && (
          <span class="hint">
            {megabytes(value.bytes)} in {grouped(value.types)} types: records and names
          </span>
        )}
      </div>
      {failure && <p class="failure padded">{failure}</p>}
      {value && <Tiles root={value} by={by} />}
    </div>
  );
}

function Tiles({ root, by }: { readonly root: SizeNode; readonly by: By }) {
  const outer = useRef<HTMLDivElement>(null);
  const [{ width, height }, setSize] = useState({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const observer = new ResizeObserver(([entry]) => {
      if (entry) setSize({ width: entry.contentRect.width, height: entry.contentRect.height });
    });
    if (outer.current) observer.observe(outer.current);
    return () => observer.disconnect();
  }, []);
  const tree = useMemo(() => {
    const sums = hierarchy(root, ({ children }) => children as SizeNode[] | undefined)
      .sum(({ bytes, children }) => (children ? 0 : bytes))
      .sort((a, b) => Number(isRest(a.data)) - Number(isRest(b.data)) || (b.value ?? 0) - (a.value ?? 0));
    return treemap<SizeNode>().tile(treemapSquarify).size([width, height]).paddingTop(18).paddingInner(2).round(true)(
      sums,
    );
  }, [root, width, height]);
  return (
    <div class="map" ref={outer}>
      {tree.children?.map((node) => (
        <Group key={node.data.name} node={node} by={by} />
      ))}
    </div>
  );
}

/** What has no name of its own comes last. */
function isRest({ name }: SizeNode): boolean {
  return /^(\d+ others|\(anonymous\)|\(other\))$/.test(name);
}

interface NodeProps {
  readonly node: HierarchyRectangularNode<SizeNode>;
  readonly by: By;
}

function box({ x0, y0, x1, y1 }: HierarchyRectangularNode<SizeNode>) {
  return { left: `${x0}px`, top: `${y0}px`, width: `${x1 - x0}px`, height: `${y1 - y0}px` };
}

function Group({ node, by }: NodeProps) {
  const { name, bytes, types } = node.data;
  if (node.x1 - node.x0 < 2 || node.y1 - node.y0 < 2) return null;
  const label = `${name}: ${megabytes(bytes)}, ${grouped(types)} types`;
  const isSearchable = by !== "file" && !isRest(node.data);
  const search = (): void => {
    if (by === "kind") {
      kinds.value = [];
      text.value = `kind:${name}`;
    } else text.value = `${name}_`;
    isSearchOpen.value = true;
    showView("types");
  };
  return (
    <>
      <button
        type="button"
        class="map-group"
        style={box(node)}
        title={label}
        aria-label={label}
        disabled={!isSearchable}
        onClick={search}
      >
        <span>
          {name} <small>{megabytes(bytes)}</small>
        </span>
      </button>
      {node.children?.map((child) => (
        <div
          key={child.data.name}
          class={`map-leaf map-${child.data.name.replace(/\W.*/, "")}`}
          style={box(child)}
          title={`${name} · ${child.data.name}: ${megabytes(child.data.bytes)}, ${grouped(child.data.types)} types`}
        >
          {child.x1 - child.x0 > 46 && child.y1 - child.y0 > 16 && <span>{child.data.name}</span>}
        </div>
      ))}
    </>
  );
}
