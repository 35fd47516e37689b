import type { Rollout, RolloutNode, RolloutSummary } from "../../../../protocol/rollout.ts";
import { Action } from "../../parts/action.tsx";
import { useRouter } from "../../router/router.ts";
import type { Collection } from "../../store/collection.ts";
import { useStore } from "../../store/store.ts";
import { useCollection, useOfAll } from "../../store/use.ts";
import { type ActionName, canBeRetried, movedOf, whyNot } from "./words.ts";

/** What can be told to a rollout: each asks first, and says why it cannot be told now. */
export function RolloutActions({
  rollout,
  nodes,
}: {
  readonly rollout: RolloutSummary;
  readonly nodes: Collection<RolloutNode>;
}) {
  const { rollouts } = useStore();
  const router = useRouter();
  useCollection(rollouts);
  void rollouts.keys.value;
  const retriable = useOfAll(nodes, (all) => all.filter(canBeRetried).length).value;
  const { id, rolledBackBy, status } = rollout;
  const back = rolledBackBy === null ? null : (rollouts.get(rolledBackBy)?.value.status ?? null);
  const why = (action: ActionName): string | null => whyNot(rollout, action, retriable, back);
  const path = (action: ActionName): string => `/v1/rollouts/${id}/${action}`;
  const moved = movedOf(rollout);
  return (
    <>
      {status === "paused" ? (
        <Action
          needs="operator"
          about={id}
          kind="primary"
          name="Resume"
          why={why("resume")}
          question="Go on with this rollout?"
          path={path("resume")}
        >
          The next node gets its turn as soon as its group allows it.
        </Action>
      ) : (
        <Action
          needs="operator"
          about={id}
          name="Pause"
          why={why("pause")}
          question="Pause this rollout?"
          path={path("pause")}
        >
          No further node gets a turn. Who holds a lease finishes, and is kept or goes back.
        </Action>
      )}
      <Action
        needs="operator"
        about={id}
        kind={status === "halted" ? "primary" : "plain"}
        name="Retry"
        why={why("retry")}
        question="Begin anew who failed?"
        path={path("retry")}
      >
        {retriable === 1 ? "1 node is" : `${retriable} nodes are`} begun anew. Holds and quarantines of those
        that failed are lifted, and the rollout goes on.
      </Action>
      <Action
        needs="operator"
        about={id}
        kind="danger"
        name="Roll back"
        why={why("rollback")}
        question={`Bring ${moved === 1 ? "1 node" : `${moved} nodes`} back to what they ran before?`}
        path={path("rollback")}
        typed={{ word: String(moved), called: "how many nodes" }}
        onDone={(answer) => router.go(`/rollouts/${(answer as Rollout).id}`)}
      >
        A rollout of its own brings each node that this one moved back to the build before, one at a time in
        each group. This one gives no further turn.
      </Action>
      <Action
        needs="operator"
        about={id}
        kind="danger"
        name="Cancel"
        label="Cancel the rollout"
        why={why("cancel")}
        question="Cancel this rollout?"
        path={path("cancel")}
      >
        No further node gets a turn; the node under way finishes, and the rest stays untouched. A cancelled
        rollout does not go on.
      </Action>
    </>
  );
}
