import type { Door, DoorCall } from "../../harness/door.ts";
import type { Rows } from "./row.ts";

/** A node in the middle of an update. */
async function updating(door: Door) {
  const node = await door.online();
  await node.update();
  return node;
}

async function fleetLocked(door: Door): Promise<string> {
  const group = await door.group();
  await door.must("POST", `/v1/groups/${group}/fleet-lock`, { body: { autoApprove: true } });
  return group;
}

const fleetLock = (path: string, group: string): readonly ["POST", string, DoorCall] => [
  "POST",
  path,
  {
    token: null,
    headers: { "fleet-lock-protocol": "true" },
    body: { client_params: { id: "e0f3745b108f471c", group } },
  },
];

/** Groups, leases and nodes. */
export const fleetRows: Rows = {
  listGroups: () => ["GET", "/v1/groups"],
  createGroup: (door) => ["POST", "/v1/groups", { body: { name: door.fresh("group"), mode: "quorum" } }],
  getGroup: async (door) => ["GET", `/v1/groups/${await door.group()}`],
  editGroup: async (door) => ["PATCH", `/v1/groups/${await door.group()}`, { body: { spare: 1 } }],
  removeGroup: async (door) => ["DELETE", `/v1/groups/${await door.group()}`],

  openFleetLock: async (door) => [
    "POST",
    `/v1/groups/${await door.group()}/fleet-lock`,
    { body: { basicAuth: true } },
  ],
  closeFleetLock: async (door) => ["POST", `/v1/groups/${await fleetLocked(door)}/fleet-lock/close`],
  fleetLockPreReboot: async (door) => fleetLock("/v1/pre-reboot", await fleetLocked(door)),
  fleetLockSteadyState: async (door) => {
    const group = await fleetLocked(door);
    await door.must(...fleetLock("/v1/pre-reboot", group));
    return fleetLock("/v1/steady-state", group);
  },

  getLease: async (door) => ["GET", `/v1/groups/${await door.group()}/lease`],
  reserveLease: async (door) => ["POST", ...(await updating(door)).reserve()],
  renewLease: async (door) => {
    const node = await updating(door);
    return ["POST", ...node.lease("renew", { token: await node.reserved() })];
  },
  commitLease: async (door) => {
    const node = await updating(door);
    return ["POST", ...node.lease("commit", { token: await node.reserved(), needMs: 10 })];
  },
  cancelLease: async (door) => {
    const node = await updating(door);
    return ["POST", ...node.lease("cancel", { token: await node.reserved() })];
  },
  breakLease: async (door) => {
    const node = await updating(door);
    const token = await node.inFlight();
    door.clock.pass(60_000);
    const body = { token, reason: "the machine burned down" };
    return ["POST", `/v1/groups/${node.group}/lease/break`, { body }];
  },

  listNodes: async (door) => {
    await door.online();
    return ["GET", "/v1/nodes"];
  },
  getNode: async (door) => ["GET", `/v1/nodes/${(await door.online()).id}`],
  editNode: async (door) => [
    "PATCH",
    `/v1/nodes/${(await door.join()).id}`,
    { body: { labels: { rack: "b4" } } },
  ],
  removeNode: async (door) => ["DELETE", `/v1/nodes/${(await door.join()).id}`],
  previewRemoval: async (door) => ["GET", `/v1/nodes/${(await door.join()).id}/removal`],
  approveNode: async (door) => ["POST", `/v1/nodes/${(await door.join({ autoApprove: false })).id}/approve`],
  rejectNode: async (door) => ["POST", `/v1/nodes/${(await door.join({ autoApprove: false })).id}/reject`],
  revokeNode: async (door) => ["POST", `/v1/nodes/${(await door.join()).id}/revoke`],
  updateNode: async (door) => [
    "POST",
    `/v1/nodes/${(await door.online()).id}/update`,
    { body: { release: "1.1.0" } },
  ],
  rollBackNode: async (door) => {
    const node = await door.online();
    const backup = { version: "0.9.0", buildHash: "9".repeat(64) };
    await node.beat({ holdings: { backup, hold: false, quarantine: [] } });
    return ["POST", `/v1/nodes/${node.id}/rollback`];
  },
  diagnoseNode: async (door) => ["POST", `/v1/nodes/${(await door.online({ protocol: 2 })).id}/diagnose`],
};
