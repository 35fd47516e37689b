import { useSignal } from "@preact/signals";
import type { Group } from "../../../../protocol/group.ts";
import { Action } from "../../parts/action.tsx";
import { Facts } from "../../parts/facts.tsx";
import { TextField } from "../../parts/field.tsx";
import { State } from "../../parts/mark.tsx";
import { Panel } from "../../parts/panel.tsx";
import { Since, Time } from "../../parts/time.tsx";
import { Link } from "../../router/link.tsx";
import { useStore } from "../../store/store.ts";
import { useCollection } from "../../store/use.ts";
import { jobOf, leaseOf } from "./model.ts";

/** Who may be disrupted now, and the way out when that node is lost. */
export function LeasePanel({ group, path }: { readonly group: Group; readonly path: string }) {
  const { nodes } = useStore();
  useCollection(nodes);
  void nodes.keys.value;
  const { holder, broken } = group.lease;
  const nameOf = (id: string): string => nodes.get(id)?.value.name ?? id;
  const { tone, word } = leaseOf(group, nameOf);
  const job = holder === null ? null : jobOf(holder);
  return (
    <Panel title="Lease" aside={<BreakLease group={group} path={path} nameOf={nameOf} />}>
      <div class="stack">
        <p class="name">
          <State tone={tone}>{word}</State>
        </p>
        {holder === null ? null : (
          <Facts
            of={[
              [
                "Node",
                <Link key="node" to={`/nodes/${holder.nodeId}`}>
                  {nameOf(holder.nodeId)}
                </Link>,
              ],
              ["For", <Since key="for" at={holder.since} />],
              ["Token", String(holder.token)],
              [
                "Job",
                job === null ? (
                  "none"
                ) : (
                  <Link key="job" to={`/jobs/${job}`}>
                    {job}
                  </Link>
                ),
              ],
            ]}
          />
        )}
        {broken.map(({ token, nodeId, at, reason }) => (
          <p key={token} class="name">
            {nameOf(nodeId)} counts as down until it says its last word: its lease was broken <Time at={at} />
            , {reason}
          </p>
        ))}
      </div>
    </Panel>
  );
}

function BreakLease({
  group: {
    name,
    lease: { holder },
  },
  path,
  nameOf,
}: {
  readonly group: Group;
  readonly path: string;
  readonly nameOf: (id: string) => string;
}) {
  const reason = useSignal("");
  const typed = useSignal("");
  /** The lease that one has seen, and no later one. */
  const token = useSignal<number | null>(null);
  const who = holder === null ? "nobody" : (holder.nodeName ?? nameOf(holder.nodeId));
  return (
    <Action
      needs="admin"
      name="Break the lease"
      kind="danger"
      why={holder === null ? "Nobody holds it" : null}
      question={`Break the lease of ${who}?`}
      path={`${path}/lease/break`}
      body={{ token: token.value, reason: reason.value.trim() }}
      missing={reason.value.trim() === "" ? "Say why" : typed.value === name ? null : `Type ${name} to go on`}
      about={name}
      onOpen={() => {
        token.value = holder?.token ?? null;
        typed.value = "";
      }}
      onDone={() => {
        reason.value = "";
      }}
    >
      <div class="form">
        <p>
          If that node still runs, two nodes of {name} may be down at once. It counts as down until it says
          its last word. First make sure, with your own eyes, that it is off.
        </p>
        <TextField
          label="Why"
          value={reason.value}
          onInput={(text) => {
            reason.value = text;
          }}
        />
        <TextField
          label={`Type the group's name, ${name}`}
          value={typed.value}
          onInput={(text) => {
            typed.value = text;
          }}
        />
      </div>
    </Action>
  );
}
