import type { JobEnd } from "../../../agent/control/messages.ts";
import type { ControlPort } from "../../../agent/control/routes.ts";
import type { LogLine } from "../../../protocol/job.ts";
import { err, ok } from "../../../protocol/result.ts";
import { statusOf } from "./status.ts";

export const JOB = "j-0123456789ab";

/** What the control API asks, as a plain object whose state a test sets. */
export function pretendedAgent() {
  const listeners = new Set<() => void>();
  const state = {
    status: statusOf(),
    lines: [] as LogLine[],
    asked: [] as unknown[],
    ended: null as JobEnd | null,
    changed: () => {
      for (const listener of listeners) listener();
    },
    listeners,
  };
  const port: ControlPort = {
    status: () => state.status,
    update: async (options) => {
      state.asked.push(options);
      return ok({ jobId: JOB });
    },
    rollback: async () =>
      err({ code: "no-backup", message: "There is no dist.bak.", hint: "Nothing to do." }),
    install: async (kit) => {
      let bytes = 0;
      for await (const chunk of kit) bytes += chunk.length;
      const build = { version: "1.0.0", buildHash: "b".repeat(64) };
      return ok({ build, outcome: "prepared", message: `${bytes} bytes` });
    },
    jobs: async () => [{ jobId: JOB, at: 7, lines: state.lines.length }],
    logLines: async (_jobId, from, limit) => state.lines.slice(from, from + limit),
    howEnded: async () => state.ended,
    subscribe: (changed) => {
      listeners.add(changed);
      return () => listeners.delete(changed);
    },
  };
  return { ...state, state, port };
}
