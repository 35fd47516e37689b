import type { Group } from "../../../../protocol/group.ts";
import type { Node } from "../../../../protocol/node.ts";
import { Action } from "../../parts/action.tsx";
import { State } from "../../parts/mark.tsx";
import { Empty, Panel, Skeleton } from "../../parts/panel.tsx";
import { Table } from "../../parts/table.tsx";
import { Link } from "../../router/link.tsx";
import { useStore } from "../../store/store.ts";
import { useOfAll } from "../../store/use.ts";
import { stateOf } from "../nodes/model.ts";

/** Beyond that the table of all nodes, which is made for many, is the better place. */
const AT_MOST = 100;

/** Who is in it and who votes. */
export function Members({ group: { name, mode } }: { readonly group: Group }) {
  const { nodes } = useStore();
  const members = useOfAll(nodes, (all) =>
    all
      .filter(({ group }) => group === name)
      .sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true })),
  ).value;
  return (
    <Panel
      title="Members"
      aside={
        <Link to={`/nodes?group=${encodeURIComponent(name)}`}>{members.length} in the table of nodes</Link>
      }
    >
      {nodes.filled.value.kind !== "ready" ? (
        <Skeleton />
      ) : members.length === 0 ? (
        <Empty title="Nobody is in it yet.">
          <Link to="/join">Make a join token</Link> for it, and run the line that it shows on the node.
        </Empty>
      ) : (
        <Table
          label={`Members of ${name}`}
          columns={["Name", "State", "Role", "Version", "Votes", ""]}
          rows={members.slice(0, AT_MOST).map((node) => {
            const { tone, word } = stateOf(node);
            return {
              key: node.id,
              cells: [
                <Link key="name" to={`/nodes/${node.id}`} class="name">
                  {node.name}
                </Link>,
                <State key="state" tone={tone}>
                  {word}
                </State>,
                <span key="role" class="name">
                  {node.health?.role ?? ""}
                </span>,
                node.build?.version ?? (node.client === undefined ? "unknown" : "not ours"),
                node.voter ? "yes" : "no",
                <Vote key="vote" node={node} isQuorum={mode === "quorum"} />,
              ],
            };
          })}
        />
      )}
      {members.length > AT_MOST ? <p class="soft small">and {members.length - AT_MOST} more</p> : null}
    </Panel>
  );
}

function Vote({ node: { id, name, voter }, isQuorum }: { readonly node: Node; readonly isQuorum: boolean }) {
  return (
    <Action
      needs="admin"
      name={voter ? "Take the vote" : "Give a vote"}
      label={voter ? `Take the vote of ${name}` : `Give a vote to ${name}`}
      why={null}
      question={voter ? `Take the vote of ${name}?` : `Give a vote to ${name}?`}
      path={`/v1/nodes/${id}`}
      method="PATCH"
      body={{ voter: !voter }}
      about={id}
    >
      {isQuorum
        ? "Say here what is so in the workload's own configuration: the quorum that no update may cost is counted by it."
        : "In a group of independent nodes votes say nothing."}
    </Action>
  );
}
