import type { ReadonlySignal } from "@preact/signals";
import { useSignal } from "@preact/signals";
import type { Check, PlannedNode, RolloutPlan } from "../../../../protocol/plan.ts";
import { Button } from "../../parts/button.tsx";
import { shortDuration } from "../../parts/duration.ts";
import { Mark, type Tone } from "../../parts/mark.tsx";
import { Empty, Skeleton } from "../../parts/panel.tsx";
import { ProblemNote } from "../../parts/problem.tsx";
import { Time } from "../../parts/time.tsx";
import { useRouter } from "../../router/router.ts";
import type { Plan } from "./ask.ts";
import { listOf, type Order } from "./order.ts";

/** What the dry run answers: each check with its numbers, the order of the turns, and who is left out. */
export function PlanShown({
  plan: of,
  order,
  onAgain,
}: {
  readonly plan: ReadonlySignal<Plan>;
  readonly order: Order;
  readonly onAgain: () => void;
}) {
  const plan = of.value;
  if (plan.kind === "none")
    return (
      <Empty
        title={Object.keys(order.wrong).length > 0 ? "Something is not right yet." : "Choose who, first."}
      >
        {Object.keys(order.wrong).length > 0
          ? Object.values(order.wrong).join(". ")
          : "Tick a group, every node of the fleet, or single nodes. Nothing happens by choosing."}
      </Empty>
    );
  if (plan.kind === "waiting") return <Skeleton lines={8} />;
  if (plan.kind === "failed")
    return (
      <>
        <ProblemNote problem={plan.problem} />
        <p>
          <Button onPress={onAgain}>Look again</Button>
        </p>
      </>
    );
  const { value, at } = plan;
  return (
    <div class="plan" data-plan={value.hash}>
      <p>
        <strong>{value.nodes.length === 1 ? "1 node" : `${value.nodes.length} nodes`}</strong> to{" "}
        <strong>{value.release}</strong>
        {value.estimate === null
          ? "; how long it takes is not known yet"
          : `, about ${shortDuration(value.estimate.totalMs)} (${shortDuration(value.estimate.perNodeMs)} each, by ${value.estimate.jobs} past updates)`}
        .
      </p>
      <p class="soft small">
        Plan <code title={value.hash}>{value.hash.slice(0, 12)}</code>, made <Time at={at} />{" "}
        <Button kind="quiet" onPress={onAgain}>
          Look again
        </Button>
      </p>
      <Checks checks={value.checks} />
      <Turns plan={value} />
      <Skips plan={value} />
    </div>
  );
}

const TONE: Readonly<Record<Check["outcome"], Tone>> = { passed: "good", warned: "warn", refused: "bad" };

function Checks({ checks }: { readonly checks: readonly Check[] }) {
  const order = ["refused", "warned", "passed"];
  const sorted = [...checks].sort((a, b) => order.indexOf(a.outcome) - order.indexOf(b.outcome));
  return (
    <section aria-labelledby="plan-checks">
      <h3 id="plan-checks">Preflight</h3>
      <ul class="plan-list">
        {sorted.map((check, at) => (
          // Checks have no name of their own: one looks at several groups and nodes.
          <li
            key={`${check.check} ${check.group} ${check.nodeId} ${at}`}
            class="plan-item"
            data-outcome={check.outcome}
          >
            <Mark tone={TONE[check.outcome]} />
            <div>
              <p class="name">
                <span class="hidden-text">{check.outcome}: </span>
                {check.message}
              </p>
              {check.outcome === "passed" ? null : <Override check={check} />}
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** What a person may say to go on all the same. */
function Override({ check }: { readonly check: Check }) {
  const { query, setQuery } = useRouter();
  const { override, nodeId } = check;
  if (override === null) return null;
  if (override === "allow-unhealthy") {
    if (nodeId === null) return null;
    const named = listOf(query.value.get("unhealthy"));
    return (
      <Button onPress={() => setQuery({ unhealthy: [...named, nodeId].join(",") })}>
        Let it take part all the same, first of all
      </Button>
    );
  }
  const [field, value, name] = OVERRIDES[override];
  return <Button onPress={() => setQuery({ [field]: value })}>{name}</Button>;
}

const OVERRIDES = {
  "accept-outage": ["outage", "1", "Accept the outage"],
  retry: ["retry", "1", "Try it again"],
  "offline-skip": ["offline", "skip", "Leave out who is offline"],
} as const;

const AT_FIRST = 30;

function Turns({ plan: { nodes, stages } }: { readonly plan: RolloutPlan }) {
  const whole = useSignal(false);
  const shown = whole.value ? nodes : nodes.slice(0, AT_FIRST);
  if (nodes.length === 0) return null;
  return (
    <section aria-labelledby="plan-turns">
      <h3 id="plan-turns">In this order</h3>
      {stages.map((stage, at) => {
        const here = shown.filter((node) => node.stage === at);
        return here.length === 0 ? null : (
          <div key={`${at}`}>
            <p class="soft small">
              {stages.length === 1 ? "All of them" : `Stage ${at + 1}`}: {Math.round(stage.share * 100)} %,{" "}
              {stage.nodes === 1 ? "1 node" : `${stage.nodes} nodes`} of{" "}
              {stage.groups === 1 ? "1 group" : `${stage.groups} groups`}
            </p>
            <ol class="plan-list" start={nodes.indexOf(here[0] as PlannedNode) + 1}>
              {here.map((node) => (
                <li key={node.nodeId} class="plan-turn" data-node={node.nodeId}>
                  <span class="name">
                    <strong>{node.name}</strong> <span class="soft small">{node.group}</span>
                    {node.role === null ? null : <span class="soft small"> · {node.role}</span>}
                  </span>
                  <span>
                    {node.from?.version ?? "?"} → {node.to?.version ?? "?"}
                  </span>
                </li>
              ))}
            </ol>
          </div>
        );
      })}
      {shown.length === nodes.length ? null : (
        <Button
          kind="quiet"
          onPress={() => {
            whole.value = true;
          }}
        >
          Show all {String(nodes.length)}
        </Button>
      )}
    </section>
  );
}

function Skips({ plan: { skips } }: { readonly plan: RolloutPlan }) {
  if (skips.length === 0) return null;
  return (
    <section aria-labelledby="plan-skips">
      <h3 id="plan-skips">Left out</h3>
      <ul class="plan-list">
        {skips.slice(0, AT_FIRST).map(({ nodeId, name, reason }) => (
          <li key={nodeId} class="plan-item">
            <Mark tone="idle" />
            <p class="name">
              <strong>{name}</strong>: {reason.message}
            </p>
          </li>
        ))}
        {skips.length > AT_FIRST ? <li class="soft small">and {skips.length - AT_FIRST} more</li> : null}
      </ul>
    </section>
  );
}
