import type { Command } from "commander";
import { FaultError } from "../../../protocol/result.ts";
import { Rollout, RolloutSummary } from "../../../protocol/rollout.ts";
import { type ApiClient, path } from "../../api/client.ts";
import { newest } from "../../api/newest.ts";
import { rolloutState } from "../../show/rollout/marks.ts";
import { rolloutPicture } from "../../show/rollout/picture.ts";
import { aimOf, totalOf } from "../../show/rollout/words.ts";
import { selected } from "../../show/selected.ts";
import { table } from "../../show/table.ts";
import { instant } from "../../show/time.ts";
import type { World } from "../../world.ts";
import { apiOf, countOption, leaf, must, print } from "../leaf.ts";
import { isOver, momentOf } from "./watch.ts";
import { type WatchOptions, watched, withWatch } from "./watched.ts";

export const listRollouts = (world: World): Command =>
  leaf("list", "the rollouts, newest first")
    .option("--limit <n>", "how many at most", countOption, 50)
    .action(async ({ limit }: { limit: number }, command: Command) => {
      const api = await apiOf(world, command);
      const rollouts = must(await newest(api, ["v1", "rollouts"], "rollouts", RolloutSummary, limit));
      const rows = rollouts.map((rollout) => [
        rollout.id,
        aimOf(rollout),
        selected(rollout.selection),
        rolloutState(world.colors, rollout.status),
        `${rollout.counts.succeeded}/${totalOf(rollout.counts)}`,
        instant(rollout.createdAt),
        rollout.startedBy,
      ]);
      const heading = ["ID", "RELEASE", "NODES", "STATUS", "UPDATED", "STARTED", "BY"];
      print(world, command, rollouts, rollouts.length === 0 ? "No rollouts." : table(heading, rows));
    });

export const showRollout = (world: World): Command =>
  withWatch(leaf("status", "one rollout: its stages, each of its nodes, and why it is where it is"))
    .argument("[rollout]", "its id (default: the one that is under way, or else the newest)")
    .option("--nodes", "a line for every node, however many there are")
    .action(async (id: string | undefined, options: WatchOptions & { nodes?: true }, command: Command) => {
      const api = await apiOf(world, command);
      const which = id ?? (await current(api));
      if (options.watch === true) return watched(world, command, api, which, options.timeout);
      const rollout = must(await api.call({ path: path("v1", "rollouts", which), answer: Rollout }));
      const moment = await momentOf(world, api, rollout, { patiently: async (ask) => must(await ask()) });
      const room = {
        columns: world.out.columns ?? 100,
        rows: options.nodes === true ? null : world.out.rows,
      };
      print(world, command, rollout, rolloutPicture(world.colors, moment, room));
    });

/** The rollout that a person means who names none. */
async function current(api: ApiClient): Promise<string> {
  const latest = must(await newest(api, ["v1", "rollouts"], "rollouts", RolloutSummary, 50));
  const chosen = latest.find((rollout) => !isOver(rollout)) ?? latest[0];
  if (chosen !== undefined) return chosen.id;
  throw new FaultError({
    code: "not-found",
    message: "There is no rollout yet.",
    hint: "Start one with: baton rollout start",
  });
}
