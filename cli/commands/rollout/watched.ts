/** Watching a rollout to its end, as other commands do it. */
import type { Command } from "commander";
import { type Fault, FaultError } from "../../../protocol/result.ts";
import type { Rollout } from "../../../protocol/rollout.ts";
import type { ApiClient } from "../../api/client.ts";
import type { World } from "../../world.ts";
import { print, secondsOption, wantsJson } from "../leaf.ts";
import { canRedraw, isOver, watchRollout } from "./watch.ts";

export type WatchOptions = { watch?: true; timeout?: number };

export const withWatch = (command: Command): Command =>
  command
    .option("--watch", "show it until it ends; exit 3 unless it completes")
    .option("--timeout <time>", "with --watch: give up watching and exit 4 (90, 15m)", secondsOption);

/** Watches, prints the end as the result, and fails when it was no success. */
export async function watched(
  world: World,
  command: Command,
  api: ApiClient,
  id: string,
  timeoutSeconds: number | undefined,
): Promise<void> {
  const rollout = await watchRollout(world, api, id, { timeoutSeconds, json: wantsJson(command) });
  const { succeeded } = rollout.counts;
  const where = rollout.kind === "rollback" ? "back on what they ran before" : `on ${rollout.release}`;
  print(
    world,
    command,
    rollout,
    `Rollout ${rollout.id} ${rollout.status}: ${succeeded} of ${rollout.nodes.length} nodes ${where}.`,
  );
  // The picture that stays on the terminal says why.
  const failure = failureOf(rollout, !(canRedraw(world) && !wantsJson(command)));
  if (failure !== null) throw new FaultError(failure);
}

/** The failure that a rollout ended in, for the exit status; null when it completed. */
export function failureOf(rollout: Rollout, why: boolean): Fault | null {
  if (rollout.status === "completed" || !isOver(rollout)) return null;
  const { id, status, reason, rolledBackBy } = rollout;
  const back = rolledBackBy === null ? "" : ` It is taken back by ${rolledBackBy}.`;
  return {
    code: status,
    message: `Rollout ${id} ${status === "cancelled" ? "was cancelled" : status}${reason === null || !why ? "." : `: ${reason.message}`}${back}`,
    hint: `Nodes that were not touched are as they were. What they did: baton jobs list --rollout ${id}`,
  };
}
