import type { RolloutSummary } from "../../../../protocol/rollout.ts";
import { Chip, Mark } from "../../parts/mark.tsx";
import { Time } from "../../parts/time.tsx";
import { Link } from "../../router/link.tsx";
import { titleOf } from "../rollout/words.ts";
import { budgetOf, ROLLOUT_TONE, stageTone, stageWord } from "./model.ts";

/** A rollout in short: its rail of stages, how far it is, and why it is where it is. */
export function RolloutCard({ rollout }: { readonly rollout: RolloutSummary }) {
  const { id, status, counts, budget, stages, reason, estimatedEnd, createdAt, startedBy } = rollout;
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  return (
    <article class="rollout-card" aria-labelledby={`rollout-${id}`}>
      <div class="rollout-head">
        <h3 id={`rollout-${id}`}>
          <Link to={`/rollouts/${id}`}>{titleOf(rollout)}</Link>
        </h3>
        <Chip tone={ROLLOUT_TONE[status]}>{status}</Chip>
      </div>
      <ol class="rail" aria-label="Stages">
        {stages.map((stage, at) => {
          const tone = stageTone(stage, rollout);
          return (
            // Stages have no name but their place.
            <li
              key={`${at}`}
              class={`rail-stage rail-${tone}`}
              aria-current={at === rollout.stage ? "step" : undefined}
            >
              <Mark tone={tone} />
              <span>
                {Math.round(stage.share * 100)} %{" "}
                <span class="soft small">
                  {stage.nodes} nodes, {stageWord(stage, rollout)}
                </span>
              </span>
            </li>
          );
        })}
      </ol>
      {reason === null ? null : <p class="name">{reason.message}</p>}
      <p class="soft small">
        {counts.succeeded} of {all} updated · {budgetOf(budget)}
        {counts.rolledBack > 0 ? ` · ${counts.rolledBack} rolled back` : ""} · started <Time at={createdAt} />{" "}
        by <span class="name">{startedBy}</span>
        {estimatedEnd === null || status !== "running" ? null : (
          <>
            {" "}
            · over <Time at={estimatedEnd} />
          </>
        )}
      </p>
    </article>
  );
}
