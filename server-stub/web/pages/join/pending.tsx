import type { Node } from "../../../../protocol/node.ts";
import { Action } from "../../parts/action.tsx";
import { Empty, Panel, Skeleton } from "../../parts/panel.tsx";
import { Table } from "../../parts/table.tsx";
import { Time } from "../../parts/time.tsx";
import { Link } from "../../router/link.tsx";
import { useStore } from "../../store/store.ts";
import { useOfAll } from "../../store/use.ts";

/** Nodes that have joined and may do nothing yet. */
export function Pending() {
  const { nodes } = useStore();
  const waiting = useOfAll(nodes, (all) =>
    all.filter(({ membership }) => membership === "pending").sort((a, b) => a.createdAt - b.createdAt),
  ).value;
  return (
    <Panel title="Wait for approval">
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
              <Decision key="decision" node={node} />,
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

function Decision({ node: { id, name, group, voter } }: { readonly node: Node }) {
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
      >
        It becomes a member of {group}
        {voter ? ", with a vote in its quorum" : ""}, and is brought to the release that the group is on.
      </Action>
    </div>
  );
}
