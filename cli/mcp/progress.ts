/** How a rollout goes, as progress notifications and as lines of the answer. */
import { nullable, type Static, Type } from "../../protocol/schema.ts";
import { type RolloutChange, rolloutChanges } from "../show/rollout/changes.ts";
import { jobOf, type RolloutMoment } from "../show/rollout/moment.ts";
import type { ToolCall } from "./tool.ts";

export const Line = Type.Object(
  {
    /** Milliseconds since 1970, by this machine. */
    at: Type.Integer(),
    node: nullable(Type.String()),
    step: nullable(Type.String()),
    message: Type.String(),
  },
  { additionalProperties: false },
);
export type Line = Static<typeof Line>;

/** Lines that are kept for the answer: the last ones say how it ended. */
const MOST_LINES = 500;
/** A client may give up on who says nothing for long. */
const SILENCE_MS = 10_000;
/** Of one node: what is sent although no node has ended meanwhile must still rise. */
const LITTLE = 1e-6;

export type Reporter = {
  say(message: string, step: string | null): void;
  moment(moment: RolloutMoment): void;
  lines(): Line[];
};

export function reporter({ world, progress }: Pick<ToolCall, "world" | "progress">): Reporter {
  const lines: Line[] = [];
  let before: RolloutMoment | null = null;
  let sent = 0;
  let total = 1;
  let sentAt = 0;
  const send = (done: number, message: string): void => {
    sent = Math.max(done, sent + LITTLE);
    sentAt = world.now();
    progress({ done: sent, total: Math.max(total, sent), message });
  };
  const add = (line: Line): void => {
    lines.push(line);
    if (lines.length > MOST_LINES) lines.shift();
  };
  return {
    say(message, step) {
      add({ at: world.now(), node: null, step, message });
      send(sent, message);
    },
    moment(moment) {
      const isOld = moment.rollout === before?.rollout && moment.jobs === before.jobs;
      const { done, of } = progressOf(moment);
      total = of;
      for (const { change, line } of isOld ? [] : rolloutChanges(before, moment)) {
        if (isBeginning(before, change)) continue;
        const node = change.kind === "node" ? change : null;
        add({ at: moment.now, node: node?.name ?? null, step: stepOf(change), message: line });
        send(done, line);
      }
      before = moment;
      if (world.now() - sentAt >= SILENCE_MS) send(done, moment.rollout.reason?.message ?? "It goes on.");
    },
    lines: () => lines,
  };
}

/** Nodes that are done, and of those at work as much as their jobs say. */
function progressOf(moment: RolloutMoment): { readonly done: number; readonly of: number } {
  const { nodes } = moment.rollout;
  const shares = nodes.map((node): number => {
    if (node.endedAt !== null) return 1;
    return (jobOf(moment, node)?.percent ?? 0) / 100;
  });
  return { done: shares.reduce((sum, share) => sum + share, 0), of: Math.max(1, nodes.length) };
}

/** Where everything stands when it is first looked at is no news of the many that only wait. */
const isBeginning = (before: RolloutMoment | null, change: RolloutChange): boolean =>
  before === null && change.kind !== "rollout" && change.status === "pending";

/** A node's step as its job has it; how it ended otherwise. */
function stepOf(change: RolloutChange): string | null {
  if (change.kind !== "node") return null;
  if (change.step !== null) return change.step;
  if (change.status === "succeeded") return "complete";
  if (change.status === "rolled-back") return "rollback";
  return change.reason?.code === "cancelled" ? "cancelled" : null;
}
