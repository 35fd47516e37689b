/** What is said of rollouts and faults to an assistant. */
import type { Fault } from "../../protocol/result.ts";
import type { RolloutSummary } from "../../protocol/rollout.ts";
import { aimOf, totalOf } from "../show/rollout/words.ts";

export function rolloutLine(rollout: RolloutSummary): string {
  const { id, status, reason, counts, endedAt } = rollout;
  const { succeeded, failed, rolledBack, skipped } = counts;
  const underWay = endedAt === null && status !== "running" ? " A node is still under way." : "";
  return `Rollout ${id} ${aimOf(rollout)} is ${status}: ${succeeded} of ${totalOf(counts)} nodes done, ${skipped} left out, ${failed + rolledBack} failed or gone back.${reason === null ? "" : ` ${reason.message}`}${underWay}`;
}

/** One line: the code, what happened, what to do. */
export const faultLine = ({ code, message, hint }: Fault): string =>
  [`${code}: ${message}`, hint].filter((part) => part !== undefined && part !== "").join(" ");
