import type { AgentStatus } from "../../../agent/control/messages.ts";
import { IDLE_UPDATE } from "../../harness/idle-update.ts";

/** The status of an agent at rest. */
export const statusOf = (more: Partial<AgentStatus> = {}): AgentStatus => ({
  instanceId: "00000000-0000-4000-8000-000000000001",
  pid: 42,
  startedAt: 1_700_000_000_000,
  build: { version: "1.0.0", buildHash: "a".repeat(64) },
  backup: null,
  hold: false,
  quarantine: [],
  node: { id: "n-0123456789ab", name: "one", group: "etcd" },
  session: { connected: true, transport: "websocket", server: "https://c.example", since: 1, fault: null },
  health: { healthy: true },
  update: IDLE_UPDATE,
  journal: { kind: "idle" },
  finalWords: [],
  job: null,
  poll: { enabled: true, schedule: "*/5 * * * *", nextAt: null, lastAt: null, fault: null },
  notes: [],
  ...more,
});
