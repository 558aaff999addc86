import type { Layout } from "../layout/types.js";
export function layoutSvg(layout: Layout, _options: { hex?: boolean }): string {
  return layout.name;
}
