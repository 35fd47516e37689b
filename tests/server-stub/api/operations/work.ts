import type { Door } from "../../harness/door.ts";
import type { DoorNode } from "../../harness/door-node.ts";
import type { Rows } from "./row.ts";

const job = async (door: Door): Promise<string> => (await door.online()).update();

const selection = (node: DoorNode) => ({ selection: { groups: [node.group] } });

/** A rollout of one node to the release that is published. */
async function rollout(door: Door): Promise<{ path: string; node: DoorNode }> {
  const node = await door.online();
  const { id } = await door.must("POST", "/v1/rollouts", { body: selection(node) });
  await node.beat();
  return { path: `/v1/rollouts/${String(id)}`, node };
}

/** Releases, rollouts and jobs. */
export const workRows: Rows = {
  listReleases: () => ["GET", "/v1/releases"],
  uploadBundle: ({ publisher }) => {
    const { sha256, content } = publisher.bundle("7.0.0");
    const headers = { "content-type": "application/octet-stream" };
    return ["PUT", `/v1/releases/uploads/${sha256}`, { body: content, headers }];
  },
  publish: async (door) => {
    const { sha256, content } = door.publisher.bundle("1.2.0");
    await door.upload(sha256, content);
    const targets = door.publisher.sign("1.2.0");
    const expectedTargetsVersion = targets.signed.version - 1;
    door.publisher.targets = targets;
    return ["POST", "/v1/releases", { body: { targets, expectedTargetsVersion } }];
  },
  installTrust: async (door) => {
    const updates = [await door.publisher.rotate("root")];
    return ["POST", "/v1/trust", { body: { updates } }];
  },

  listRollouts: async (door) => {
    await rollout(door);
    return ["GET", "/v1/rollouts?limit=2"];
  },
  startRollout: async (door) => ["POST", "/v1/rollouts", { body: selection(await door.online()) }],
  getRollout: async (door) => ["GET", (await rollout(door)).path],
  pauseRollout: async (door) => ["POST", `${(await rollout(door)).path}/pause`],
  resumeRollout: async (door) => {
    const { path } = await rollout(door);
    await door.must("POST", `${path}/pause`);
    return ["POST", `${path}/resume`];
  },
  cancelRollout: async (door) => ["POST", `${(await rollout(door)).path}/cancel`],
  retryRollout: async (door) => {
    const { path, node } = await rollout(door);
    await node.fail();
    await door.tick();
    return ["POST", `${path}/retry`];
  },
  rollBackRollout: async (door) => {
    const { path, node } = await rollout(door);
    await node.updateWell();
    await door.tick();
    return ["POST", `${path}/rollback`];
  },

  listJobs: async (door) => {
    await job(door);
    return ["GET", "/v1/jobs?limit=2"];
  },
  getJob: async (door) => ["GET", `/v1/jobs/${await job(door)}`],
  cancelJob: async (door) => ["POST", `/v1/jobs/${await job(door)}/cancel`],
  retryJob: async (door) => {
    const id = await job(door);
    await door.must("POST", `/v1/jobs/${id}/cancel`);
    return ["POST", `/v1/jobs/${id}/retry`];
  },
  getJobLog: async (door) => ["GET", `/v1/jobs/${await job(door)}/log`],
  appendJobLog: async (door) => {
    const node = await door.online();
    const id = await node.update();
    const line = { index: 0, at: 1, source: "agent", step: "fetch", text: "Fetched." };
    return ["POST", `/v1/jobs/${id}/log`, { token: node.credential, body: { lines: [line] } }];
  },
};
