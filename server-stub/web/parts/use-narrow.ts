import { type ReadonlySignal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

/** Where tables have no room for columns; the style sheets say the same. */
const NARROW = "(max-width: 52rem)";

export function useNarrow(): ReadonlySignal<boolean> {
  const narrow = useSignal(matchMedia(NARROW).matches);
  useEffect(() => {
    const list = matchMedia(NARROW);
    const look = (): void => {
      narrow.value = list.matches;
    };
    list.addEventListener("change", look);
    return () => list.removeEventListener("change", look);
  }, []);
  return narrow;
}
