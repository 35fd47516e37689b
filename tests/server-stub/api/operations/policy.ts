import type { Door } from "../../harness/door.ts";
import type { Rows } from "./row.ts";

const freeze = { reason: "the database is being moved" };

async function channel(door: Door): Promise<string> {
  const name = door.fresh("channel");
  await door.must("PUT", `/v1/channels/${name}`, { body: {} });
  return name;
}

/** Windows, freezes and channels. What is done to the fleet is undone by the next row, or by the next minute. */
export const policyRows: Rows = {
  getPolicy: () => ["GET", "/v1/policy"],
  editPolicy: () => ["PATCH", "/v1/policy", { body: { rollout: { concurrency: 7 } } }],
  freezeFleet: (door) => [
    "POST",
    "/v1/policy/freeze",
    { body: { ...freeze, until: door.clock.now() + 60_000 } },
  ],
  unfreezeFleet: async (door) => {
    await door.must("POST", "/v1/policy/freeze", { body: freeze });
    return ["POST", "/v1/policy/unfreeze"];
  },
  freezeGroup: async (door) => ["POST", `/v1/groups/${await door.group()}/freeze`, { body: freeze }],
  unfreezeGroup: async (door) => {
    const group = await door.group();
    await door.must("POST", `/v1/groups/${group}/freeze`, { body: freeze });
    return ["POST", `/v1/groups/${group}/unfreeze`];
  },

  listChannels: async (door) => {
    await channel(door);
    return ["GET", "/v1/channels"];
  },
  getChannel: async (door) => ["GET", `/v1/channels/${await channel(door)}`],
  putChannel: (door) => ["PUT", `/v1/channels/${door.fresh("channel")}`, { body: {} }],
  removeChannel: async (door) => ["DELETE", `/v1/channels/${await channel(door)}`],
  promoteRelease: async (door) => [
    "POST",
    `/v1/channels/${await channel(door)}/promote`,
    { body: { release: "1.1.0" } },
  ],
};
