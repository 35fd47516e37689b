import { useStore } from "../store/store.ts";
import { exact, relative, shortDuration } from "./duration.ts";

/** An instant, as long ago as it is; the exact one on hover. */
export function Time({ at }: { readonly at: number }) {
  const { clock } = useStore();
  const text = relative(at, clock.now.value);
  return (
    <time dateTime={new Date(at).toISOString()} title={exact(at)}>
      {text}
    </time>
  );
}

/** How long it has lasted since then, counting. */
export function Since({ at }: { readonly at: number }) {
  const { clock } = useStore();
  const text = shortDuration(clock.now.value - at);
  return (
    <time dateTime={new Date(at).toISOString()} title={`since ${exact(at)}`}>
      {text}
    </time>
  );
}
