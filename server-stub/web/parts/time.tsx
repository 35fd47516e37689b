import { computed } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { useStore } from "../store/store.ts";
import { exact, relative, shortDuration } from "./duration.ts";

/** An instant, as long ago as it is; the exact one on hover. */
export const Time = ({ at }: { readonly at: number }) => <Told at={at} title={exact(at)} say={relative} />;

/** How long it has lasted since then, counting. */
export const Since = ({ at }: { readonly at: number }) => (
  <Told at={at} title={`since ${exact(at)}`} say={lasted} />
);

const lasted = (at: number, now: number): string => shortDuration(now - at);

/** As the clock goes on only its text changes, and only when that is another. */
function Told({
  at,
  title,
  say,
}: {
  readonly at: number;
  readonly title: string;
  readonly say: (at: number, now: number) => string;
}) {
  const { clock } = useStore();
  const text = useMemo(() => computed(() => say(at, clock.now.value)), [at, say, clock]);
  return (
    <time dateTime={new Date(at).toISOString()} title={title}>
      {text}
    </time>
  );
}
