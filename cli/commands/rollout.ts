import { type Command, Option } from "commander";
import { Rollout, RolloutSummary } from "../../protocol/rollout.ts";
import { path } from "../api/client.ts";
import { everything } from "../api/everything.ts";
import { rolloutFacts, rolloutPicture } from "../show/rollout.ts";
import { selected } from "../show/selected.ts";
import { table } from "../show/table.ts";
import { instant } from "../show/time.ts";
import type { World } from "../world.ts";
import { apiOf, branch, countOption, leaf, must, print, sure } from "./leaf.ts";
import { expectCompleted, isOver, momentOf, watchRollout } from "./watch-rollout.ts";

/** `baton rollout`: brings a group to a release, node by node. */
export const rolloutCommand = (world: World): Command =>
  branch("rollout", "bring a group to a release, node by node", [
    list(world),
    start(world),
    status(world),
    cancel(world),
  ]);

const withWatch = (command: Command): Command =>
  command
    .option("--watch", "show it until it ends; exit 3 when it halts or fails")
    .option("--timeout <seconds>", "with --watch: give up watching and exit 4", countOption);

type WatchOptions = { watch?: true; timeout?: number };
type StartOptions = WatchOptions & {
  group: string;
  release?: string;
  acceptOutage?: true;
  retry?: true;
  yes?: true;
};

const start = (world: World): Command =>
  withWatch(leaf("start", "start a rollout"))
    .addOption(new Option("--group <name>", "the group").makeOptionMandatory())
    .option("--release <version>", "the release (default: the newest)")
    .option("--retry", "also on nodes that are held or have quarantined the release")
    .option("--accept-outage", "also where a group is too small to lose a node")
    .option("--yes", "do not ask")
    .action(async (options: StartOptions, command: Command) => {
      const api = await apiOf(world, command);
      if (options.acceptOutage === true) {
        await sure(
          world,
          options.yes,
          `Update ${options.group} although it will be without quorum meanwhile?`,
        );
      }
      const body = {
        selection: { groups: [options.group] },
        ...(options.release === undefined ? {} : { release: options.release }),
        ...(options.acceptOutage === undefined ? {} : { acceptOutage: true }),
        ...(options.retry === undefined ? {} : { retry: true }),
      };
      const rollout = must(
        await api.call({ method: "POST", path: path("v1", "rollouts"), body, answer: Rollout }),
      );
      if (options.watch === true) return watched(world, command, api, rollout.id, options.timeout);
      const follow = isOver(rollout) ? "" : `\nFollow it with: baton rollout status ${rollout.id} --watch`;
      print(
        world,
        command,
        rollout,
        `Rollout ${rollout.id} started: ${selected(rollout)} → ${rollout.release}.${follow}`,
      );
    });

const status = (world: World): Command =>
  withWatch(leaf("status", "one rollout with each of its nodes"))
    .argument("<rollout>", "its id")
    .action(async (id: string, { watch, timeout }: WatchOptions, command: Command) => {
      const api = await apiOf(world, command);
      if (watch === true) return watched(world, command, api, id, timeout);
      const rollout = must(await api.call({ path: path("v1", "rollouts", id), answer: Rollout }));
      const picture = rolloutPicture(
        world.colors,
        await momentOf(api, rollout, world.now(), (call) => call().then(must)),
      );
      print(world, command, rollout, `${rolloutFacts(rollout)}\n\n${picture}`);
    });

/** Watches, prints the end as the result, and fails when it was no success. */
async function watched(
  world: World,
  command: Command,
  api: Awaited<ReturnType<typeof apiOf>>,
  id: string,
  timeoutSeconds: number | undefined,
): Promise<void> {
  const rollout = await watchRollout(world, api, id, timeoutSeconds);
  const updated = rollout.nodes.filter((node) => node.status === "succeeded").length;
  print(
    world,
    command,
    rollout,
    `Rollout ${rollout.id} ${rollout.status}: ${updated} of ${rollout.nodes.length} nodes on ${rollout.release}.`,
  );
  expectCompleted(rollout);
}

const list = (world: World): Command =>
  leaf("list", "the rollouts, newest first").action(async (_: object, command: Command) => {
    const api = await apiOf(world, command);
    const rollouts = must(await everything(api, ["v1", "rollouts"], "rollouts", RolloutSummary));
    const rows = rollouts.map((rollout) => [
      rollout.id,
      selected(rollout),
      rollout.release,
      rollout.status,
      `${rollout.counts.succeeded}/${Object.values(rollout.counts).reduce((sum, each) => sum + each, 0)}`,
      instant(rollout.createdAt),
      rollout.startedBy,
    ]);
    const heading = ["ID", "NODES", "RELEASE", "STATUS", "UPDATED", "STARTED", "BY"];
    print(world, command, rollouts, rollouts.length === 0 ? "No rollouts." : table(heading, rows));
  });

const cancel = (world: World): Command =>
  leaf("cancel", "give no further turn; the node under way finishes")
    .argument("<rollout>", "its id")
    .action(async (id: string, _: object, command: Command) => {
      const api = await apiOf(world, command);
      const rollout = must(
        await api.call({ method: "POST", path: path("v1", "rollouts", id, "cancel"), answer: Rollout }),
      );
      print(world, command, rollout, `Rollout ${rollout.id} ${rollout.status}.`);
    });
