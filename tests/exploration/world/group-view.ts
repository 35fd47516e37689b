/** What the lease's functions are told of the world: `server-stub/service/group-view.ts` and `situation.ts`. */

import { isActive, type JobRecord } from "../../../server-stub/core/job/job.ts";
import type {
  Denied,
  GroupView,
  LeasePolicy,
  LeaseView,
  Member,
} from "../../../server-stub/core/lease/view.ts";
import { ailment, newestOf, stateOf, type Timing } from "../../../server-stub/core/presence/presence.ts";
import { noTurn } from "../../../server-stub/service/turn.ts";
import type { NodeRecord } from "../../../server-stub/store/records.ts";
import { HEARTBEAT_MS, LEASE_POLICY, OFFLINE_AFTER_MISSED } from "./time.ts";
import { type Hub, idOf, type NodeIndex, nameOf, type World } from "./world.ts";

export const policyOf = ({ epoch }: Hub): LeasePolicy => ({ ...LEASE_POLICY, epoch });

export const timingOf = ({ startedAt }: Hub): Timing => ({
  heartbeatMs: HEARTBEAT_MS,
  offlineAfterMissed: OFFLINE_AFTER_MISSED,
  startedAtMs: startedAt,
});

export function groupViewOf(world: World): GroupView {
  const members = world.nodes.flatMap((node, at) => (node.member ? [memberOf(world, at)] : []));
  return {
    mode: "quorum",
    spare: null,
    members,
    acceptOutage: false,
    gate: world.hub.isOpen ? null : CLOSED,
  };
}

const CLOSED: Denied = {
  code: "outside-window",
  message: "The maintenance window is closed.",
  retryAfterMs: 0,
};

function memberOf({ hub, now }: World, at: NodeIndex): Member {
  const presence = hub.presence[at];
  const timing = timingOf(hub);
  const isOnline = stateOf(presence, timing, now) === "online";
  const why = ailment(presence, timing, now);
  const job = hub.jobs[at] ?? null;
  return {
    id: idOf(at),
    name: nameOf(at),
    voter: true,
    serving: why === null,
    ailment: why,
    role: isOnline ? (presence?.heartbeat?.health.role ?? null) : null,
    reportsRole: hub.known[at]?.reportsRole ?? false,
    canHandOver: presence?.hello.canHandOver ?? false,
    old: job !== null && isActive(job),
  };
}

export function leaseViewOf(world: World, at: NodeIndex, job: JobRecord): LeaseView {
  const { hub } = world;
  const presence = hub.presence[at];
  return {
    policy: policyOf(hub),
    group: groupViewOf(world),
    asker: {
      nodeId: idOf(at),
      jobId: job.id,
      from: presence?.hello.build ?? null,
      to: job.to,
      newest: newestOf(presence),
      noTurn: noTurn(recordOf(hub, at), job, null, 0),
    },
  };
}

/** As much of a node's record as decides whether it has a turn. */
function recordOf(hub: Hub, at: NodeIndex): NodeRecord {
  const presence = hub.presence[at];
  const stored = hub.known[at] ?? null;
  const known =
    stored === null
      ? null
      : {
          ...stored,
          platform: "linux-x64" as const,
          build: presence?.hello.build ?? { version: "0.0.0", buildHash: "" },
          canHandOver: true,
        };
  return {
    id: idOf(at),
    name: nameOf(at),
    group: "g",
    voter: true,
    labels: {},
    membership: "approved",
    credentialHash: "",
    createdAt: 0,
    known,
    placed: null,
    presence: null,
  };
}
