import { sameBuild } from "../../protocol/build.ts";
import type { GroupName } from "../../protocol/names.ts";
import { mayHaveMoved } from "../core/rollout/actions.ts";
import type { Place, RolloutRecord } from "../core/rollout/rollout.ts";
import { beginRollout } from "../core/rollout/snapshot.ts";
import type { Change } from "../store/records.ts";
import { audit } from "./audit.ts";
import { type Context, newId } from "./context.ts";
import { rolloutNotice } from "./webhooks/rollout-notice.ts";

/**
 * A rollout that takes another back: every node that it has moved, or is moving, returns to what it ran before; of one
 * that failed nobody may know where it stands, so it is looked at too. One stage, as many groups at once as the other
 * had, and no failure ends it but that of its own group. Null when no node is to go back.
 */
export function rollbackChanges(
  ctx: Context,
  rollout: RolloutRecord,
  by: { readonly actor: string; readonly from: string },
  quorumGroups: readonly GroupName[] = rollout.quorumGroups,
): {
  /** The rollout that is taken back, and says by which. */
  readonly rollout: RolloutRecord;
  readonly back: RolloutRecord;
  readonly changes: readonly Change[];
} | null {
  const moved = rollout.nodes.filter((place) => mayHaveMoved(place) && !hasStayed(ctx, place));
  if (moved.length === 0) return null;
  const back = beginRollout(
    {
      id: newId(ctx.random, "r"),
      kind: "rollback",
      release: rollout.release,
      rollbackOf: rollout.id,
      selection: rollout.selection,
      policy: { ...rollout.policy, stages: [1], threshold: 1, offline: "skip", onFailure: "halt" },
      quorumGroups,
      acceptOutage: rollout.acceptOutage,
      allowUnhealthy: rollout.allowUnhealthy,
      retry: true,
      planHash: null,
      perNodeMs: rollout.perNodeMs,
      startedBy: by.actor.replace(/^operator /, ""),
      createdAt: ctx.wall(),
    },
    moved.map((place) => ({
      ...place,
      role: ctx.live.presence(place.nodeId)?.heartbeat?.health.role ?? null,
      from: place.to,
      to: place.from,
    })),
  );
  const said = { release: back.release, rollbackOf: rollout.id, nodes: moved.length };
  return {
    rollout: { ...rollout, rolledBackBy: back.id },
    back,
    changes: [
      { kind: "rollout", value: back, expected: 0 },
      audit(ctx, by, "rollout.started", back.id, null, said),
      ...rolloutNotice(ctx, back, "started"),
    ],
  };
}

/** It failed before it went anywhere, or is back already. */
function hasStayed(ctx: Context, { nodeId, status, from }: Place): boolean {
  const runs = ctx.live.presence(nodeId)?.hello.build;
  return status === "failed" && runs !== undefined && from !== null && sameBuild(runs, from);
}
