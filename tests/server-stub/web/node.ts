/** A node of the API that serves, and others that differ from it. */
import type { Node } from "../../../protocol/node.ts";

export const BUILD = { version: "1.3.0", buildHash: "a".repeat(64) };
export const NODE: Node = {
  id: "n-000000000001",
  name: "anna",
  group: "db",
  voter: true,
  labels: { rack: "a1" },
  membership: "approved",
  presence: "online",
  lastSeenAt: 1_000,
  address: "10.0.0.1",
  platform: "linux-x64",
  build: BUILD,
  backup: null,
  hold: false,
  quarantine: [],
  health: { healthy: true },
  serving: true,
  journal: { kind: "idle" },
  update: null,
  desired: "1.3.0",
  latest: "1.3.0",
  outdated: false,
  behind: false,
  jobId: null,
  reason: null,
  createdAt: 0,
};

export const node = (more: Partial<Node>): Node => ({ ...NODE, ...more });
