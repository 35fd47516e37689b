import type { Command } from "commander";
import type { World } from "../../world.ts";
import { branch } from "../leaf.ts";
import { createGroup, editGroup, removeGroup } from "./change.ts";
import { fleetLockOfGroup } from "./fleet-lock.ts";
import { listGroups, showGroup } from "./look.ts";
import { freezeGroup, unfreezeGroup, windowsOfGroup } from "./when.ts";

/** `baton groups`: nodes that are updated one at a time. */
export const groupsCommand = (world: World): Command =>
  branch("groups", "nodes that are updated one at a time", [
    listGroups(world),
    showGroup(world),
    createGroup(world),
    editGroup(world),
    removeGroup(world),
    windowsOfGroup(world),
    freezeGroup(world),
    unfreezeGroup(world),
    fleetLockOfGroup(world),
  ]);
