import { useSignal } from "@preact/signals";
import type { Group } from "../../../../protocol/group.ts";
import { Action } from "../../parts/action.tsx";
import { Choice, TextField } from "../../parts/field.tsx";
import { State } from "../../parts/mark.tsx";
import { PageHead } from "../../parts/page-head.tsx";
import { Empty, Panel, Skeleton } from "../../parts/panel.tsx";
import { ProblemNote } from "../../parts/problem.tsx";
import { Table } from "../../parts/table.tsx";
import { Link } from "../../router/link.tsx";
import { useRouter } from "../../router/router.ts";
import { useStore } from "../../store/store.ts";
import { useCollection, useOfAll } from "../../store/use.ts";
import { gateOf, leaseOf, quorumOf, quorumTone, whyNoGroupName } from "./model.ts";

/** Nodes that are updated one at a time. */
export function GroupsPage() {
  const { groups, nodes } = useStore();
  useCollection(nodes);
  void nodes.keys.value;
  const all = useOfAll(groups, (each) =>
    [...each].sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true })),
  ).value;
  const filled = groups.filled.value;
  const nameOf = (id: string): string => nodes.get(id)?.value.name ?? id;
  return (
    <>
      <PageHead title="Groups">
        <NewGroup />
      </PageHead>
      <Panel title="By name">
        {filled.kind === "failed" ? (
          <ProblemNote problem={filled.problem} />
        ) : filled.kind === "waiting" ? (
          <Skeleton lines={5} />
        ) : all.length === 0 ? (
          <Empty title="There is no group yet.">
            Make one: every node joins a group, and of a group one node is updated at a time.
          </Empty>
        ) : (
          <Table
            label="Groups"
            columns={["Name", "Mode", "Nodes", "Voters", "Lease", "May begin", "Channel"]}
            rows={all.map((group) => row(group, nameOf))}
          />
        )}
      </Panel>
    </>
  );
}

function row(group: Group, nameOf: (id: string) => string) {
  const lease = leaseOf(group, nameOf);
  const gate = gateOf(group);
  return {
    key: group.name,
    cells: [
      <Link key="name" to={`/groups/${encodeURIComponent(group.name)}`} class="name">
        {group.name}
      </Link>,
      group.mode,
      group.nodes,
      <State key="voters" tone={quorumTone(group)}>
        {quorumOf(group)}
      </State>,
      <State key="lease" tone={lease.tone}>
        {lease.word}
      </State>,
      <span key="gate" title={group.gate?.message}>
        <State tone={gate.tone}>{gate.word}</State>
      </span>,
      group.channel ?? "",
    ],
  };
}

function NewGroup() {
  const router = useRouter();
  const name = useSignal("");
  const mode = useSignal<string>("quorum");
  return (
    <Action
      needs="admin"
      name="New group"
      kind="primary"
      why={null}
      question="Make a group?"
      path="/v1/groups"
      body={{ name: name.value.trim(), mode: mode.value }}
      missing={whyNoGroupName(name.value.trim())}
      about={name.value.trim()}
      onDone={(answer) => router.go(`/groups/${encodeURIComponent((answer as Group).name)}`)}
    >
      <div class="form">
        <TextField
          label="Name"
          value={name.value}
          onInput={(text) => {
            name.value = text;
          }}
        />
        <Choice
          label="Mode"
          value={mode.value}
          options={[
            ["quorum", "quorum: its voters share one, as in Raft"],
            ["independent", "independent: every node stands for itself"],
          ]}
          onChoose={(chosen) => {
            mode.value = chosen ?? "quorum";
          }}
        />
      </div>
    </Action>
  );
}
