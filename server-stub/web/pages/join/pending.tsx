import { type Signal, useSignal } from "@preact/signals";
import type { AuditEntry } from "../../../../protocol/audit.ts";
import type { Node } from "../../../../protocol/node.ts";
import { Action } from "../../parts/action.tsx";
import { Empty, Panel, Skeleton } from "../../parts/panel.tsx";
import { Table } from "../../parts/table.tsx";
import { Time } from "../../parts/time.tsx";
import { Link } from "../../router/link.tsx";
import { useStore } from "../../store/store.ts";
import { useOfAll, useResource } from "../../store/use.ts";

/** Nodes that have joined and may do nothing yet. */
export function Pending() {
  const { nodes } = useStore();
  const waiting = useOfAll(nodes, (all) =>
    all.filter(({ membership }) => membership === "pending").sort((a, b) => a.createdAt - b.createdAt),
  ).value;
  /** Whom one was about to decide about, until that is done. */
  const asked = useSignal<Node | null>(null);
  const about = asked.value;
  return (
    <Panel title="Wait for approval">
      {about === null || waiting.some(({ id }) => id === about.id) ? null : <Decided node={about} />}
      {nodes.filled.value.kind !== "ready" ? (
        <Skeleton />
      ) : waiting.length === 0 ? (
        <Empty title="Nobody waits.">
          A node that joins by a token without automatic approval is here until an administrator decides.
        </Empty>
      ) : (
        <Table
          label="Nodes that wait for approval"
          columns={["Name", "Group", "Votes", "From", "Labels", "Joined", ""]}
          rows={waiting.map((node) => ({
            key: node.id,
            cells: [
              <Link key="name" to={`/nodes/${node.id}`} class="name">
                {node.name}
              </Link>,
              <Link key="group" to={`/groups/${encodeURIComponent(node.group)}`} class="name">
                {node.group}
              </Link>,
              node.voter ? "yes" : "no",
              <span key="from" class="name">
                {node.address ?? "unknown"}
              </span>,
              <span key="labels" class="soft name">
                {labelsOf(node)}
              </span>,
              <Time key="joined" at={node.createdAt} />,
              <Decision key="decision" node={node} asked={asked} />,
            ],
          }))}
        />
      )}
    </Panel>
  );
}

const labelsOf = ({ labels }: Node): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(", ");

/** Somebody else was faster, while the question was open: who, and with what. */
function Decided({ node: { id, name } }: { readonly node: Node }) {
  const log = useResource<{ entries: readonly AuditEntry[] }>(
    `/v1/audit?limit=1&action=node.&subject=${encodeURIComponent(id)}`,
  ).value;
  const entry = log.kind === "ready" ? log.value.entries[0] : undefined;
  return (
    <p role="status">
      <span class="name">{name}</span> waits no longer
      {entry === undefined ? (
        "."
      ) : (
        <>
          : <span class="mono">{entry.action}</span> by <span class="name">{entry.actor}</span>,{" "}
          <Time at={entry.at} />.
        </>
      )}
    </p>
  );
}

function Decision({ node, asked }: { readonly node: Node; readonly asked: Signal<Node | null> }) {
  const { id, name, group, voter } = node;
  const onOpen = (): void => {
    asked.value = node;
  };
  const onDone = (): void => {
    asked.value = null;
  };
  return (
    <div class="buttons">
      <Action
        needs="admin"
        name="Reject"
        label={`Reject ${name}`}
        kind="danger"
        why={null}
        question={`Reject ${name}?`}
        path={`/v1/nodes/${id}/reject`}
        about={id}
        onOpen={onOpen}
        onDone={onDone}
      >
        It is removed, and its credential is worth nothing. It may join again by another token.
      </Action>
      <Action
        needs="admin"
        name="Approve"
        label={`Approve ${name}`}
        kind="primary"
        why={null}
        question={`Approve ${name}?`}
        path={`/v1/nodes/${id}/approve`}
        about={id}
        onOpen={onOpen}
        onDone={onDone}
      >
        It becomes a member of {group}
        {voter ? ", with a vote in its quorum" : ""}, and is brought to the release that the group is on.
      </Action>
    </div>
  );
}
