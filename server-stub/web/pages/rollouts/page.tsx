import { useSignal } from "@preact/signals";
import type { RolloutSummary } from "../../../../protocol/rollout.ts";
import { Button } from "../../parts/button.tsx";
import { Chip } from "../../parts/mark.tsx";
import { PageHead } from "../../parts/page-head.tsx";
import { Empty, Panel, Skeleton } from "../../parts/panel.tsx";
import { ProblemNote } from "../../parts/problem.tsx";
import { Time } from "../../parts/time.tsx";
import { Link } from "../../router/link.tsx";
import { useStore } from "../../store/store.ts";
import { useOfAll } from "../../store/use.ts";
import { isUnderWay, ROLLOUT_TONE } from "../overview/model.ts";
import { RolloutCard } from "../overview/rollout-card.tsx";
import { sumOf, titleOf } from "../rollout/words.ts";
import "../overview/overview.css";
import "./rollouts.css";

const AT_ONCE = 50;

/** Every rollout: those under way with their rails, and the earlier ones, newest first. */
export function RolloutsPage() {
  const { rollouts, session } = useStore();
  const all = useOfAll(rollouts, (each) => [...each].sort((a, b) => b.createdAt - a.createdAt)).value;
  const most = useSignal(AT_ONCE);
  const filled = rollouts.filled.value;
  const underWay = all.filter(isUnderWay);
  const earlier = all.filter((each) => !isUnderWay(each));
  const start = session.may("operator") ? (
    <Link to="/rollouts/new" class="button button-primary">
      Start a rollout
    </Link>
  ) : null;
  return (
    <>
      <PageHead title="Rollouts">{start}</PageHead>
      {filled.kind === "failed" ? <ProblemNote problem={filled.problem} /> : null}
      {filled.kind === "waiting" ? <Skeleton lines={6} /> : null}
      {filled.kind === "ready" && all.length === 0 ? (
        <Empty title="There has been no rollout yet.">
          <p>
            Publish a release with <code>baton publish BUNDLE</code>; then a rollout brings nodes to it, stage
            by stage, one node of a group at a time.
          </p>
        </Empty>
      ) : null}
      {underWay.length === 0 ? null : (
        <Panel title="Under way">
          {underWay.map((rollout) => (
            <RolloutCard key={rollout.id} rollout={rollout} />
          ))}
        </Panel>
      )}
      {earlier.length === 0 ? null : (
        <Panel title="Earlier">
          <ul class="past">
            {earlier.slice(0, most.value).map((rollout) => (
              <Past key={rollout.id} rollout={rollout} />
            ))}
          </ul>
          {earlier.length <= most.value ? null : (
            <Button
              onPress={() => {
                most.value += AT_ONCE;
              }}
            >
              {`Show ${Math.min(AT_ONCE, earlier.length - most.value)} more`}
            </Button>
          )}
        </Panel>
      )}
    </>
  );
}

function Past({ rollout }: { readonly rollout: RolloutSummary }) {
  const { id, status, counts, startedBy, createdAt, endedAt, reason } = rollout;
  const failed = counts.failed + counts.rolledBack;
  return (
    <li class="past-item" data-rollout={id}>
      <Link to={`/rollouts/${id}`} class="past-title">
        {titleOf(rollout)}
      </Link>
      <Chip tone={ROLLOUT_TONE[status]}>{status}</Chip>
      <span class="small">
        {counts.succeeded} of {sumOf(counts)} {rollout.kind === "rollback" ? "went back" : "updated"}
        {failed === 0 ? "" : `, ${failed} failed`}
      </span>
      <span class="soft small name past-why" title={reason?.message}>
        {status === "completed" ? "" : reason?.message}
      </span>
      <span class="soft small">
        <Time at={endedAt ?? createdAt} /> · <span class="name">{startedBy}</span>
      </span>
    </li>
  );
}
