/** What is in a coordinator's store before it runs, as if it had been there for long. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { JobRecord } from "../../server-stub/core/job/job.ts";
import type { Change, GroupRecord, NodeRecord } from "../../server-stub/store/records.ts";
import { openSqliteStore } from "../../server-stub/store/sqlite/open.ts";

/** By it a test speaks as the stored node. */
export const CREDENTIAL = `baton_node_${"n".repeat(43)}`;

export async function store(stateDir: string, changes: readonly Change[]): Promise<void> {
  const opened = await openSqliteStore(join(stateDir, "coordinator.db"));
  if (!opened.ok) throw new Error(opened.error.message);
  for (const change of changes) {
    const written = await opened.value.apply([change]);
    if (!written.ok) throw new Error(`${change.kind} was not stored`);
  }
  await opened.value.close();
}

export const GROUP: GroupRecord = {
  name: "db",
  mode: "independent",
  spare: null,
  wanted: null,
  windows: null,
  freeze: null,
  channel: null,
  followsSince: null,
  createdAt: 0,
};

export const NODE: NodeRecord = {
  id: "n-000000000001",
  name: "anna",
  group: GROUP.name,
  voter: true,
  labels: {},
  membership: "approved",
  credentialHash: createHash("sha256").update(CREDENTIAL).digest("hex"),
  createdAt: 0,
  known: {
    platform: "linux-x64",
    build: { version: "1.0.0", buildHash: "0".repeat(64) },
    canHandOver: false,
    reportsRole: false,
    holdings: { backup: null, hold: false, quarantine: [] },
  },
  placed: null,
  presence: "online",
  address: "10.0.0.1",
};

export const JOB: JobRecord = {
  id: "j-000000000001",
  kind: "update",
  nodeId: NODE.id,
  group: GROUP.name,
  cause: "operator",
  rolloutId: null,
  release: "1.1.0",
  from: { version: "1.0.0", buildHash: "0".repeat(64) },
  to: null,
  retry: false,
  retryOf: null,
  status: "running",
  step: "fetch",
  percent: 12,
  bytesPerSecond: null,
  reason: null,
  createdAt: Date.now(),
  startedAt: Date.now(),
  endedAt: null,
  confirming: null,
  returns: 0,
  acceptOutage: false,
};
