import type { Command } from "commander";
import type { World } from "../../world.ts";
import { branch } from "../leaf.ts";
import { editNode } from "./edit.ts";
import { listNodes, showNode } from "./look.ts";
import { approveNode, rejectNode, removeNode, revokeNode } from "./member.ts";
import { diagnoseNode, rollBackNode, updateNode } from "./work.ts";

/** `baton nodes`: the machines, by name or id. */
export const nodesCommand = (world: World): Command =>
  branch("nodes", "the machines that are kept up to date", [
    listNodes(world),
    showNode(world),
    updateNode(world),
    rollBackNode(world),
    diagnoseNode(world),
    editNode(world),
    approveNode(world),
    rejectNode(world),
    revokeNode(world),
    removeNode(world),
  ]);
