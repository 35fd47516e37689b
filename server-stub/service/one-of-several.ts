import type { Coordinator, Readiness } from "./coordinator.ts";
import { following } from "./following.ts";
import type { Replica } from "./replica.ts";

/**
 * One of several coordinators, as its doors see it: whoever it is at the moment. Of the fleet it counts nothing while it
 * does not decide, so that sums over all of them are right.
 */
export function asOneOfSeveral(replica: Replica): Coordinator {
  const followed = following(replica.current);
  return {
    ...followed,
    census: async () => {
      const census = await followed.census();
      if (replica.hasSeat()) return census;
      const sessions = { websocket: 0, http: 0 };
      return { ...census, nodes: [], sessions, leases: [], rollouts: [], openAlerts: [] };
    },
    readiness: async () => readinessOf(await followed.readiness(), replica),
  };
}

/** Who stands by is ready when it knows who decides. */
function readinessOf({ reasons, notes }: Readiness, { hasSeat, seat }: Replica): Readiness {
  if (hasSeat()) return { reasons, notes };
  if (seat() !== null)
    return { reasons, notes: ["Another coordinator decides; what needs it is handed on there."] };
  return { reasons: [...reasons, "No coordinator is known to decide."], notes: [] };
}
