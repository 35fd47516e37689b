import type { ReadonlySignal } from "@preact/signals";
import type { Node } from "../../../../protocol/node.ts";
import { Action } from "../../parts/action.tsx";
import { Chip, State } from "../../parts/mark.tsx";
import { Time } from "../../parts/time.tsx";
import { Link } from "../../router/link.tsx";
import { useRouter } from "../../router/router.ts";
import { behindBy, roleOf, stateOf, whyNoUpdate } from "./model.ts";

/** One node. It follows its own signal: nothing else is drawn anew when this node changes. */
export function NodeRow({
  node: of,
  index,
  topPx,
}: {
  readonly node: ReadonlySignal<Node>;
  readonly index: number;
  readonly topPx: number;
}) {
  const router = useRouter();
  const node = of.value;
  const state = stateOf(node);
  const behind = behindBy(node);
  return (
    <tr
      class="node-row"
      aria-rowindex={index + 2}
      data-node={node.id}
      style={{ transform: `translateY(${topPx}px)` }}
    >
      <td class="node-name">
        <Link to={`/nodes/${node.id}`} class="name">
          {node.name}
        </Link>
      </td>
      <td class="node-version">
        {node.build === null ? (
          <span class="soft">{node.client === undefined ? "unknown" : "not ours"}</span>
        ) : behind === null ? (
          <span title={node.build.buildHash}>{node.build.version}</span>
        ) : (
          <Chip tone="warn">out of date · {behind}</Chip>
        )}
      </td>
      <td class="node-group name">{node.group}</td>
      <td class="node-role soft">{roleOf(node)}</td>
      <td class="node-state" title={state.detail ?? undefined}>
        <State tone={state.tone}>
          {state.word}
          {state.detail === null ? null : <span class="node-detail soft small">{state.detail}</span>}
        </State>
      </td>
      <td class="node-seen soft">
        {node.presence === "online" ? (
          "now"
        ) : node.lastSeenAt === null ? (
          "never"
        ) : (
          <Time at={node.lastSeenAt} />
        )}
      </td>
      <td class="node-action">
        <Action
          needs="operator"
          name="Update now"
          label={`Update now: ${node.name}`}
          why={whyNoUpdate(node)}
          question={`Update ${node.name} to ${node.latest}?`}
          path={`/v1/nodes/${node.id}/update`}
          body={{ release: node.latest }}
          onDone={() => router.go(`/nodes/${node.id}`)}
        >
          It fetches and checks the release, waits for the lease of {node.group}, and goes back by itself if
          the new build does not become healthy.
        </Action>
      </td>
    </tr>
  );
}
