import type { ReadonlySignal } from "@preact/signals";
import type { RolloutNode, RolloutSummary } from "../../../../protocol/rollout.ts";
import { Mark } from "../../parts/mark.tsx";
import { useRouter } from "../../router/router.ts";
import { doingOf } from "./history.ts";
import type { LiveRollout } from "./live.ts";
import { NODE_TONE, wordOf } from "./words.ts";

/** One node of a stage. It follows its own signal: nothing else is drawn anew when this node goes on. */
export function Square({
  place: of,
  first,
  live,
  kind,
}: {
  readonly place: ReadonlySignal<RolloutNode>;
  /** It is where the tab key comes in. */
  readonly first: boolean;
  readonly live: LiveRollout;
  readonly kind: RolloutSummary["kind"];
}) {
  const router = useRouter();
  const place = of.value;
  const to = `/nodes/${place.nodeId}`;
  const says = `${place.name}: ${progressOf(place, live, kind)}`;
  return (
    <li>
      <a
        href={to}
        class={`square square-${place.status}`}
        data-square={place.nodeId}
        data-status={place.status}
        aria-label={says}
        title={says}
        tabIndex={first ? 0 : -1}
        onClick={(event) => {
          if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
          event.preventDefault();
          router.go(to);
        }}
      >
        <Mark tone={NODE_TONE[place.status]} />
      </a>
    </li>
  );
}

/** "updating, restarts": how far it is, by its job where it has one at work. */
export function progressOf(place: RolloutNode, live: LiveRollout, kind: RolloutSummary["kind"]): string {
  const word = wordOf(place.status, kind);
  if (place.status !== "preparing" && place.status !== "updating") return word;
  if (place.jobId === null) return word;
  const job = live.jobs.get(place.jobId)?.value;
  // It may come later than the node that names it.
  if (job === undefined) void live.jobs.keys.value;
  if (job === undefined || job.step === null) return word;
  const percent = job.percent > 0 && job.percent < 100 ? `, ${job.percent} %` : "";
  return `${word}${percent}, ${doingOf(job)}`;
}
