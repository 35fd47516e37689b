import { useSignal } from "@preact/signals";
import type { ComponentChild } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import "./virtual-list.css";

/** Rows above and below what is seen, and how many rows the window moves by at once. */
const OVERSCAN = 8;
const STEP = 4;

type DrawRow = (index: number, topPx: number) => ComponentChild;

/**
 * The body of a table. Of very many rows of one height only those that are near the window are there. The page itself scrolls, so that
 * keys, wheels and fingers do what they do everywhere. `row` is called for those that are there.
 */
export function VirtualList({
  count,
  rowPx,
  row,
}: {
  readonly count: number;
  readonly rowPx: number;
  /** `topPx`: where the row is to stand, by `transform`. A new function is taken to draw other rows. */
  readonly row: DrawRow;
}) {
  const ref = useRef<HTMLTableSectionElement>(null);
  const first = useSignal(0);
  const shown = useSignal(40);
  useLayoutEffect(() => {
    const look = (): void => {
      const top = ref.current?.getBoundingClientRect().top ?? 0;
      const at = Math.floor(Math.max(0, -top) / rowPx) - OVERSCAN;
      first.value = Math.max(0, Math.floor(at / STEP) * STEP);
      shown.value = Math.ceil(window.innerHeight / rowPx) + 2 * OVERSCAN + STEP;
    };
    look();
    window.addEventListener("scroll", look, { passive: true });
    window.addEventListener("resize", look);
    return () => {
      window.removeEventListener("scroll", look);
      window.removeEventListener("resize", look);
    };
  }, [rowPx, count]);
  const from = Math.min(first.value, Math.max(0, count - shown.value));
  const to = Math.min(count, from + shown.value);
  const rows = useDrawn(row, rowPx, from, to);
  return (
    <tbody ref={ref} class="virtual" style={{ height: `${count * rowPx}px` }}>
      {rows}
    </tbody>
  );
}

/** Rows that were there already are the same ones again, which is how Preact knows that it need not look at them. */
function useDrawn(row: DrawRow, rowPx: number, from: number, to: number): ComponentChild[] {
  const last = useRef({ row, rowPx, drawn: new Map<number, ComponentChild>() });
  const before = last.current.row === row && last.current.rowPx === rowPx ? last.current.drawn : null;
  const drawn = new Map<number, ComponentChild>();
  for (let at = from; at < to; at += 1) drawn.set(at, before?.get(at) ?? row(at, at * rowPx));
  last.current = { row, rowPx, drawn };
  return [...drawn.values()];
}
