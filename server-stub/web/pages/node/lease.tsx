import type { Node } from "../../../../protocol/node.ts";
import { Chip } from "../../parts/mark.tsx";
import { Empty, Skeleton } from "../../parts/panel.tsx";
import { Since, Time } from "../../parts/time.tsx";
import { Link } from "../../router/link.tsx";
import { useStore } from "../../store/store.ts";
import { useCollection } from "../../store/use.ts";

/** The lease of its group: whether this node has it, or who else. */
export function NodeLease({ node }: { readonly node: Node }) {
  const groups = useCollection(useStore().groups);
  void groups.keys.value;
  const group = groups.get(node.group)?.value;
  if (group === undefined)
    return groups.filled.value.kind === "ready" ? <Empty title="Its group is gone." /> : <Skeleton />;
  const { holder, broken, voters, quorum, spare, serving } = group.lease;
  const mine = broken.filter(({ nodeId }) => nodeId === node.id);
  return (
    <dl class="facts">
      <dt>Group</dt>
      <dd>
        <span class="name">{group.name}</span>, {group.mode}
      </dd>
      <dt>Held by</dt>
      <dd>
        {holder === null ? (
          <span class="soft">nobody</span>
        ) : (
          <>
            {holder.nodeId === node.id ? (
              <strong>this node</strong>
            ) : (
              <Link to={`/nodes/${holder.nodeId}`} class="name">
                {holder.nodeName ?? holder.nodeId}
              </Link>
            )}
            , {holder.phase === "in-flight" ? "in flight" : "reserved"} for <Since at={holder.since} />, token{" "}
            {holder.token} {holder.overdue ? <Chip tone="bad">overdue</Chip> : null}
          </>
        )}
      </dd>
      {group.mode === "independent" || voters < 3 ? null : (
        <>
          <dt>Voters</dt>
          <dd>
            {serving} of {voters} serve; {quorum} are needed{spare === 0 ? "" : `, and ${spare} to spare`}
          </dd>
        </>
      )}
      {group.gate === null ? null : (
        <>
          <dt>Gate</dt>
          <dd class="name">{group.gate.message}</dd>
        </>
      )}
      {mine.map(({ token, at, reason }) => (
        <>
          <dt key={`t${token}`}>Broken</dt>
          <dd key={`d${token}`} class="name">
            its lease was broken <Time at={at} />: {reason}. It counts as down until its last word.
          </dd>
        </>
      ))}
    </dl>
  );
}
