/** A list of rows of one height, of which only those in sight exist. */
import type { ComponentChildren, HTMLAttributes } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

interface Props extends Omit<HTMLAttributes<HTMLDivElement>, "children"> {
  readonly count: number;
  readonly rowHeight: number;
  readonly row: (index: number) => ComponentChildren;
  /** A row that is scrolled to as it changes. */
  readonly shown?: number | undefined;
  readonly onRange?: (from: number, to: number) => void;
}

const OVERSCAN = 8;

export function VirtualList({ count, rowHeight, row, shown, onRange, ...rest }: Props) {
  const outer = useRef<HTMLDivElement>(null);
  const [{ top, height }, setSeen] = useState({ top: 0, height: 600 });
  const look = (): void => {
    const element = outer.current;
    if (element) setSeen({ top: element.scrollTop, height: element.clientHeight });
  };
  useLayoutEffect(() => {
    const observer = new ResizeObserver(look);
    if (outer.current) observer.observe(outer.current);
    return () => observer.disconnect();
  }, []);
  useLayoutEffect(() => {
    const element = outer.current;
    if (!element || shown === undefined) return;
    const at = shown * rowHeight;
    if (at < element.scrollTop) element.scrollTop = at;
    else if (at + rowHeight > element.scrollTop + element.clientHeight)
      element.scrollTop = at + rowHeight - element.clientHeight;
  }, [shown, rowHeight]);
  const from = Math.max(0, Math.floor(top / rowHeight) - OVERSCAN);
  const to = Math.min(count, Math.ceil((top + height) / rowHeight) + OVERSCAN);
  useLayoutEffect(() => onRange?.(from, to), [from, to, onRange, count]);
  return (
    <div {...rest} ref={outer} onScroll={look}>
      <div role="presentation" class="virtual" style={{ height: `${count * rowHeight}px` }}>
        <div role="presentation" class="virtual-rows" style={{ transform: `translateY(${from * rowHeight}px)` }}>
          {Array.from({ length: Math.max(0, to - from) }, (_, i) => row(from + i))}
        </div>
      </div>
    </div>
  );
}
