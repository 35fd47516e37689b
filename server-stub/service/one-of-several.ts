import type { Coordinator, Readiness } from "./coordinator.ts";
import { following } from "./following.ts";
import type { Replica } from "./replica.ts";

/**
 * One of several coordinators, as its doors see it: whoever it is at the moment. Of the fleet it counts nothing while it
 * does not decide, so that sums over all of them are right. `unreachable`: why the one that decides cannot be reached.
 */
export function asOneOfSeveral(
  replica: Pick<Replica, "current" | "hasSeat" | "seat">,
  unreachable: () => string | null = () => null,
): Coordinator {
  const followed = following(replica.current);
  return {
    ...followed,
    census: async () => {
      const census = await followed.census();
      if (replica.hasSeat()) return census;
      const sessions = { websocket: 0, http: 0 };
      return { ...census, nodes: [], sessions, leases: [], rollouts: [], openAlerts: [] };
    },
    readiness: async () => readinessOf(await followed.readiness(), replica, unreachable()),
  };
}

/** Who stands by is ready when it knows who decides. */
function readinessOf(
  { reasons, notes }: Readiness,
  { hasSeat, seat }: Pick<Replica, "hasSeat" | "seat">,
  unreachable: string | null,
): Readiness {
  if (hasSeat()) return { reasons, notes };
  if (unreachable !== null)
    return {
      reasons: [...reasons, `The coordinator that decides cannot be reached: ${unreachable}.`],
      notes: [],
    };
  if (seat() !== null)
    return { reasons, notes: ["Another coordinator decides; what needs it is handed on there."] };
  return { reasons: [...reasons, "No coordinator is known to decide."], notes: [] };
}
