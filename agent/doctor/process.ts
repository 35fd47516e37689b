import { showBuild } from "../../protocol/build.ts";
import type { Finding } from "../../protocol/finding.ts";
import type { EpochMs } from "../../protocol/time.ts";
import type { AgentStatus } from "../control/messages.ts";
import { findingsOf } from "./finding.ts";
import { spanText } from "./words.ts";

/** The parts of its status that are judged. */
export type RunningAgent = Pick<
  AgentStatus,
  "pid" | "startedAt" | "build" | "node" | "session" | "health" | "notes"
>;

export type ProcessFacts =
  | { readonly kind: "running"; readonly status: RunningAgent; readonly now: EpochMs }
  | { readonly kind: "not-running"; readonly socket: string }
  /** Somebody listens, and this user may not ask; or what answers is no agent. */
  | { readonly kind: "not-asked"; readonly socket: string; readonly why: string };

const { ok, warning, problem } = findingsOf("agent");

/** Whether the agent runs, and what it says of itself. */
export function judgeProcess(facts: ProcessFacts): Finding[] {
  switch (facts.kind) {
    case "not-running":
      return [
        problem(
          "agent-not-running",
          `No agent listens on ${facts.socket}.`,
          "Start it: systemctl start baton-agent. If it ends again, its last words: journalctl -u baton-agent -n 50",
        ),
      ];
    case "not-asked":
      return [
        warning(
          "agent-not-asked",
          `The agent on ${facts.socket} could not be asked: ${facts.why}`,
          "Say it as root, or as a member of the agent's group: sudo agent doctor",
        ),
      ];
    case "running":
      return judgeRunning(facts.status, facts.now);
  }
}

function judgeRunning(
  { pid, startedAt, build, node, session, health, notes }: RunningAgent,
  now: EpochMs,
): Finding[] {
  const since = spanText(now - startedAt);
  return [
    ok("agent-running", `${showBuild(build)} runs for ${since} (process ${pid}).`),
    ...judgeSession(node, session, now),
    ...(health.healthy
      ? []
      : [
          warning(
            "workload-unhealthy",
            `The workload is not healthy: ${health.detail ?? "it says nothing more"}.`,
            "Look at what it prints: journalctl -u baton-agent. While it is unhealthy, no other node of its group is updated.",
          ),
        ]),
    ...notes.map((note) =>
      warning(
        "start-note",
        `At its start: ${note}`,
        "If it is over, it is gone with the agent's next start.",
      ),
    ),
  ];
}

function judgeSession(node: RunningAgent["node"], session: RunningAgent["session"], now: EpochMs): Finding[] {
  if (node === null) {
    return [
      problem(
        "not-joined",
        "This node has not joined a coordinator, so nothing is ever updated.",
        "Run the line that `baton tokens join` prints: agent join URL --root-fingerprint HEX",
      ),
    ];
  }
  if (session.connected) {
    return [
      ok(
        "session-open",
        `${node.name} (${node.id}) has a session with ${session.server} by ${session.transport}.`,
      ),
    ];
  }
  const since = session.since === null ? "since its start" : `for ${spanText(now - session.since)}`;
  return [
    problem(
      "session-down",
      `${node.name} (${node.id}) has had no session ${since}: ${session.fault?.message ?? "it is being opened."}`,
      "What runs goes on running. See what is said of the coordinator below.",
    ),
  ];
}
