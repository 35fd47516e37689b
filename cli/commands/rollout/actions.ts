import type { Command } from "commander";
import { Rollout } from "../../../protocol/rollout.ts";
import { type ApiClient, path } from "../../api/client.ts";
import { sure } from "../../confirm/sure.ts";
import { plural } from "../../show/rollout/words.ts";
import type { World } from "../../world.ts";
import { apiOf, leaf, must, print, withYes } from "../leaf.ts";
import { type WatchOptions, watched, withWatch } from "./watched.ts";

type Action = "pause" | "resume" | "cancel" | "retry" | "rollback";

const act = async (api: ApiClient, id: string, action: Action): Promise<Rollout> =>
  must(await api.call({ method: "POST", path: path("v1", "rollouts", id, action), answer: Rollout }));

const simple = (world: World, action: "pause" | "cancel", description: string): Command =>
  leaf(action, description)
    .argument("<rollout>", "its id")
    .action(async (id: string, _: object, command: Command) => {
      const rollout = await act(await apiOf(world, command), id, action);
      print(world, command, rollout, `Rollout ${rollout.id} ${rollout.status}.`);
    });

export const pauseRollout = (world: World): Command =>
  simple(world, "pause", "give no further turn until it is resumed; the nodes under way finish");

export const cancelRollout = (world: World): Command =>
  simple(world, "cancel", "give no further turn; the node under way finishes");

const onward = (world: World, action: "resume" | "retry", description: string): Command =>
  withWatch(leaf(action, description))
    .argument("<rollout>", "its id")
    .action(async (id: string, { watch, timeout }: WatchOptions, command: Command) => {
      const api = await apiOf(world, command);
      const rollout = await act(api, id, action);
      if (watch === true) return watched(world, command, api, rollout.id, timeout);
      print(world, command, rollout, `Rollout ${rollout.id} ${rollout.status}.`);
    });

export const resumeRollout = (world: World): Command =>
  onward(world, "resume", "go on with a rollout that is paused, or with its next stage");

export const retryRollout = (world: World): Command =>
  onward(world, "retry", "begin those that failed anew; holds and quarantines are lifted");

type BackOptions = WatchOptions & { yes?: true };

export const rollBackRollout = (world: World): Command =>
  withWatch(
    withYes(
      leaf("rollback", "bring every node that it moved back to what it ran before, as a rollout of its own"),
    ),
  )
    .argument("<rollout>", "its id")
    .action(async (id: string, { yes, watch, timeout }: BackOptions, command: Command) => {
      const api = await apiOf(world, command);
      if (yes !== true) {
        const before = must(await api.call({ path: path("v1", "rollouts", id), answer: Rollout }));
        const moved = before.counts.succeeded;
        await sure(world, yes, {
          what: `Bring ${plural(moved, "node")} back from ${before.release} to what they ran before? Each is disrupted once more.`,
          type: String(moved),
          called: "the number of nodes",
        });
      }
      const back = await act(api, id, "rollback");
      if (watch === true) return watched(world, command, api, back.id, timeout);
      const follow = `Follow it with: baton rollout status ${back.id} --watch`;
      print(world, command, back, `Rollout ${back.id} takes ${id} back. ${follow}`);
    });
