import { randomUUID } from "node:crypto";
import { targetName, targetPath } from "../../../../protocol/trust.ts";
import { helloOf } from "../../harness/node.ts";
import type { Rows } from "./row.ts";

/** What the coordinator says of itself, and what agents say to it. */
export const serviceRows: Rows = {
  getHealth: () => ["GET", "/healthz", { token: null }],
  getReadiness: () => ["GET", "/readyz", { token: null }],
  getVersion: () => ["GET", "/v1/version", { token: null }],
  getOpenApi: () => ["GET", "/openapi.json", { token: null }],
  getMetrics: () => ["GET", "/metrics"],
  readBackup: () => ["GET", "/v1/backup"],
  getMetadata: () => ["GET", "/tuf/metadata/1.root.json", { token: null }],
  getTarget: (door) => {
    const { sha256 } = door.publisher.bundle("1.1.0");
    const path = targetPath(targetName(door.build("1.1.0"), "linux-x64"), sha256);
    return ["GET", `/tuf/targets/${path}`, { token: null }];
  },

  join: async (door) => {
    const { secret: token } = await door.must("POST", "/v1/join-tokens", {
      body: { group: await door.group() },
    });
    return ["POST", "/v1/join", { token: null, body: { token, name: door.fresh("node") } }];
  },
  openSession: async (door) => ["GET", "/v1/session", { token: (await door.join()).credential }],
  sendFrames: async (door) => {
    const { credential } = await door.join();
    return ["POST", "/v1/heartbeat", { token: credential, body: { frames: [helloOf(randomUUID())] } }];
  },
  getDesired: async (door) => ["GET", "/v1/desired", { token: (await door.online()).credential }],
};
