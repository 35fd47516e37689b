import type { Command } from "commander";
import type { World } from "../../world.ts";
import { branch } from "../leaf.ts";
import { cancelRollout, pauseRollout, resumeRollout, retryRollout, rollBackRollout } from "./actions.ts";
import { listRollouts, showRollout } from "./look.ts";
import { planRollout, startRollout } from "./start.ts";

/** `baton rollout`: brings nodes to a release, group by group in stages. */
export const rolloutCommand = (world: World): Command =>
  branch("rollout", "bring nodes to a release, group by group in stages", [
    listRollouts(world),
    startRollout(world),
    planRollout(world),
    showRollout(world),
    pauseRollout(world),
    resumeRollout(world),
    cancelRollout(world),
    retryRollout(world),
    rollBackRollout(world),
  ]);
