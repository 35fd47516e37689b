import type { RolloutNode, RolloutSummary } from "../../../../protocol/rollout.ts";
import { Mark } from "../../parts/mark.tsx";
import { Since, Time } from "../../parts/time.tsx";
import { Link } from "../../router/link.tsx";
import { useRouter } from "../../router/router.ts";
import type { Collection } from "../../store/collection.ts";
import { useStore } from "../../store/store.ts";
import { useOfAll } from "../../store/use.ts";
import { allowanceOf, COUNTED, isActive, sumOf } from "./words.ts";

/** How many nodes stand where; each number filters the table. */
export function Counts({ rollout }: { readonly rollout: RolloutSummary }) {
  const { query } = useRouter();
  const show = query.value.get("show");
  return (
    <ul class="counts" aria-label={`Of ${sumOf(rollout.counts)} nodes`}>
      {COUNTED.map((each) => {
        const count = each.count(rollout.counts);
        const tone = count === 0 ? "idle" : each.tone;
        const chosen = show === each.show;
        return (
          <li key={each.show} data-count={each.show}>
            <Link
              to={`/rollouts/${rollout.id}${chosen ? "" : `?show=${each.show}`}`}
              class={`count count-${tone}`}
              current={chosen}
            >
              <span class="count-value">{count}</span>
              <span class="count-name">
                <Mark tone={tone} />
                {rollout.kind === "rollback" && each.show === "succeeded" ? "went back" : each.name}
              </span>
            </Link>
          </li>
        );
      })}
    </ul>
  );
}

/** What else is to be known of it. */
export function Facts({ rollout }: { readonly rollout: RolloutSummary }) {
  const { budget, estimatedEnd, startedBy, createdAt, endedAt, policy, planHash, id } = rollout;
  const over = budget.failed > budget.allowed;
  return (
    <dl class="facts">
      <dt>Failures</dt>
      <dd class={over ? "facts-bad" : ""}>{allowanceOf(budget)}</dd>
      <dt>{endedAt === null ? "Over" : rollout.status === "halted" ? "Halted" : "Ended"}</dt>
      <dd>
        {endedAt !== null ? (
          <Time at={endedAt} />
        ) : estimatedEnd === null ? (
          <span class="soft">{noEstimate(rollout)}</span>
        ) : (
          <>
            about <Time at={estimatedEnd} />
          </>
        )}
      </dd>
      <dt>At once</dt>
      <dd>{policy.concurrency === 1 ? "1 group" : `${policy.concurrency} groups`}</dd>
      <dt>Started</dt>
      <dd>
        <Time at={createdAt} /> by <span class="name">{startedBy}</span>
      </dd>
      <dt>Plan</dt>
      <dd>{planHash === null ? "none was shown" : <code title={planHash}>{planHash.slice(0, 12)}</code>}</dd>
      <dt>Id</dt>
      <dd>
        <code>{id}</code>
      </dd>
    </dl>
  );
}

function noEstimate(rollout: RolloutSummary): string {
  if (!isActive(rollout)) return `not by itself: it is ${rollout.status}`;
  if (rollout.status === "paused") return "it waits for a person";
  if (rollout.policy.pauseMs === null && rollout.stage < rollout.stages.length - 1)
    return "it waits for a person between its stages";
  return "not known: no update has been measured yet";
}

/** Who of its nodes may be disrupted right now, and for how long that has lasted. */
export function LeaseHolders({ nodes }: { readonly nodes: Collection<RolloutNode> }) {
  const store = useStore();
  const mine = useOfAll(nodes, (all) => new Set(all.map(({ group }) => group))).value;
  const held = useOfAll(store.groups, (all) => all).value.filter(
    ({ name, lease }) => mine.has(name) && lease.holder !== null,
  );
  if (held.length === 0) return <p class="soft">Nobody holds a lease.</p>;
  return (
    <ul class="holders">
      {held.map(({ name, mode, lease: { holder, quorum, voters, serving } }) =>
        holder === null ? null : (
          <li key={name} class="holder">
            <Mark tone={holder.overdue ? "bad" : holder.phase === "in-flight" ? "busy" : "idle"} />
            <div>
              <p>
                <Link to={`/nodes/${holder.nodeId}`} class="name">
                  {holder.nodeName ?? holder.nodeId}
                </Link>{" "}
                {holder.phase === "in-flight" ? "is in flight" : "has reserved"} for{" "}
                <Since at={holder.since} />
                {holder.overdue ? <strong> · overdue</strong> : null}
              </p>
              <p class="soft small">
                lease of <span class="name">{name}</span>, token {holder.token}
                {mode === "independent" || voters < 3
                  ? ""
                  : ` · ${serving} of ${voters} voters serve, ${quorum} are needed`}
              </p>
            </div>
          </li>
        ),
      )}
    </ul>
  );
}
