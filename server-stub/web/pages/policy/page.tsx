import type { FleetPolicy } from "../../../../protocol/policy.ts";
import { Facts } from "../../parts/facts.tsx";
import { PageHead } from "../../parts/page-head.tsx";
import { Panel, Skeleton } from "../../parts/panel.tsx";
import { ProblemNote } from "../../parts/problem.tsx";
import { useResource } from "../../store/use.ts";
import { FreezePart } from "./freeze.tsx";
import { policyFacts } from "./model.ts";
import { Windows } from "./windows.tsx";

/** When the whole fleet may be disrupted, and what a rollout takes when it is not told otherwise. */
export function PolicyPage() {
  const policy = useResource<FleetPolicy>("/v1/policy", ["policy"]).value;
  return (
    <>
      <PageHead title="Policy" />
      {policy.kind === "waiting" ? (
        <Skeleton lines={6} />
      ) : policy.kind === "failed" ? (
        <ProblemNote problem={policy.problem} />
      ) : (
        <Known policy={policy.value} />
      )}
    </>
  );
}

function Known({ policy }: { readonly policy: FleetPolicy }) {
  const facts = policyFacts(policy.rollout);
  return (
    <>
      <Panel title="Freeze">
        <FreezePart of="the fleet" freeze={policy.freeze} path="/v1/policy" about="fleet" />
      </Panel>
      <Panel title="Windows">
        <div class="stack">
          <p class="soft">Of all groups that have no windows of their own.</p>
          <Windows of="the fleet" windows={policy.windows} path="/v1/policy" about="fleet" />
        </div>
      </Panel>
      <Panel title="Rollouts">
        {facts.length === 0 ? (
          <p>
            Nothing is set: each rollout takes what is usual, and what it is told. To set it:{" "}
            <code>baton policy rollout</code>.
          </p>
        ) : (
          <Facts of={facts} />
        )}
      </Panel>
    </>
  );
}
