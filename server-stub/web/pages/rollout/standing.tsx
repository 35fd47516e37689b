import type { RolloutNode, RolloutSummary } from "../../../../protocol/rollout.ts";
import { Mark } from "../../parts/mark.tsx";
import { Link } from "../../router/link.tsx";
import type { Collection } from "../../store/collection.ts";
import { useOfAll } from "../../store/use.ts";
import { ROLLOUT_TONE } from "../overview/model.ts";

/** As many who failed are named at once. */
const AT_MOST = 5;

/** Where the rollout stands, to be read from across the room; where it needs a person, what to do next. */
export function Standing({
  rollout,
  nodes,
}: {
  readonly rollout: RolloutSummary;
  readonly nodes: Collection<RolloutNode>;
}) {
  const { status, reason } = rollout;
  const tone = ROLLOUT_TONE[status];
  return (
    <section
      class={`standing standing-${tone}`}
      aria-labelledby="standing-word"
      data-status={status}
      role={tone === "bad" ? "alert" : undefined}
    >
      <h2 id="standing-word" class="standing-word">
        <Mark tone={tone} />
        {WORDS[status]}
      </h2>
      <p class="name">{reason?.message ?? SENTENCES[status]}</p>
      {status === "halted" || status === "failed" || status === "paused" ? (
        <Next rollout={rollout} nodes={nodes} />
      ) : null}
      {rollout.rolledBackBy === null ? null : (
        <p>
          It is taken back by <Link to={`/rollouts/${rollout.rolledBackBy}`}>{rollout.rolledBackBy}</Link>.
        </p>
      )}
      {rollout.rollbackOf === null ? null : (
        <p>
          It takes back <Link to={`/rollouts/${rollout.rollbackOf}`}>{rollout.rollbackOf}</Link>.
        </p>
      )}
    </section>
  );
}

const WORDS: Readonly<Record<RolloutSummary["status"], string>> = {
  pending: "Begins",
  running: "Running",
  paused: "Paused",
  halted: "Halted",
  completed: "Completed",
  cancelled: "Cancelled",
  failed: "Failed",
};

const SENTENCES: Readonly<Record<RolloutSummary["status"], string>> = {
  pending: "It has not begun.",
  running: "Nodes get their turn as their groups allow it.",
  paused: "No further node gets a turn.",
  halted: "No further node gets a turn.",
  completed: "Every node has had its turn.",
  cancelled: "Nodes that had no turn stay as they were.",
  failed: "It could not go on.",
};

function Next({
  rollout,
  nodes,
}: {
  readonly rollout: RolloutSummary;
  readonly nodes: Collection<RolloutNode>;
}) {
  const failed = useOfAll(nodes, (all) =>
    all.filter(({ status }) => status === "failed" || status === "rolled-back"),
  ).value;
  const { counts, kind, status } = rollout;
  const untouched = counts.pending + counts.preparing;
  return (
    <div class="standing-next">
      <h3>What to do next</h3>
      <ol>
        {failed.slice(0, AT_MOST).map((node) => (
          <li key={node.nodeId}>
            Read why <span class="name">{node.name}</span> {node.status === "failed" ? "failed" : "went back"}
            {node.jobId === null ? "." : ": "}
            {node.jobId === null ? null : <Link to={`/jobs/${node.jobId}`}>its log</Link>}
          </li>
        ))}
        {failed.length > AT_MOST ? (
          <li>
            <Link to={`/rollouts/${rollout.id}?show=failed`}>Look at all {failed.length} of them</Link>
          </li>
        ) : null}
        {status === "paused" ? (
          <li>Resume it when you want it to go on, or cancel it.</li>
        ) : (
          <>
            <li>Mend the cause, and retry: it begins anew who failed, and goes on.</li>
            <li>Or publish a release that is mended, cancel this rollout, and start one of that release.</li>
            {kind === "update" && counts.succeeded > 0 ? (
              <li>Or roll back: the {counts.succeeded} updated so far return to what they ran before.</li>
            ) : null}
          </>
        )}
      </ol>
      {untouched === 0 ? null : (
        <p class="soft">
          {untouched === 1 ? "1 node is" : `${untouched} nodes are`} untouched, and serve what they served.
        </p>
      )}
    </div>
  );
}
