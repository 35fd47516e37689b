/** Who is a member: letting in, turning away, taking back. */
import type { Command } from "commander";
import { Node, RemovalPreview } from "../../../protocol/node.ts";
import { type ApiClient, path } from "../../api/client.ts";
import { findNode } from "../../api/find-node.ts";
import { sure } from "../../confirm/sure.ts";
import type { World } from "../../world.ts";
import { apiOf, leaf, must, print, withYes } from "../leaf.ts";

const simple = (
  world: World,
  action: "approve" | "reject" | "revoke",
  description: string,
  done: (node: Node) => string,
): Command =>
  leaf(action, description)
    .argument("<node>", "name or id")
    .action(async (named: string, _: object, command: Command) => {
      const api = await apiOf(world, command);
      const { id } = must(await findNode(api, named));
      const node = must(
        await api.call({ method: "POST", path: path("v1", "nodes", id, action), answer: Node }),
      );
      print(world, command, node, done(node));
    });

export const approveNode = (world: World): Command =>
  simple(world, "approve", "let a pending node in", ({ name }) => `${name} is approved.`);

export const rejectNode = (world: World): Command =>
  simple(world, "reject", "turn a pending node away", ({ name }) => `${name} is turned away.`);

export const revokeNode = (world: World): Command =>
  simple(
    world,
    "revoke",
    "take a node's credential away; it stays a member, and counts in the quorum",
    ({ name }) => `The credential of ${name} is revoked.`,
  );

export const removeNode = (world: World): Command =>
  withYes(leaf("remove", "remove a node for good; its group gets a smaller quorum"))
    .argument("<node>", "name or id")
    .action(async (named: string, { yes }: { yes?: true }, command: Command) => {
      const api = await apiOf(world, command);
      const node = must(await findNode(api, named));
      if (yes !== true) {
        const what = await meaning(api, node);
        await sure(world, yes, { what, type: node.name, called: "the node's name" });
      }
      const removed = must(
        await api.call({ method: "DELETE", path: path("v1", "nodes", node.id), answer: Node }),
      );
      print(world, command, removed, `${node.name} is removed.`);
    });

/** What the removal would do, with the quorum before and after. */
async function meaning(api: ApiClient, node: Node): Promise<string> {
  const preview = must(
    await api.call({ path: path("v1", "nodes", node.id, "removal"), answer: RemovalPreview }),
  );
  const { group, mode, votersBefore, votersAfter, quorumBefore, quorumAfter, servingAfter } = preview;
  const parts = [`Remove ${node.name} (${node.id}) from ${group}?`];
  if (mode === "quorum") {
    parts.push(
      votersBefore === votersAfter
        ? `It has no vote: ${votersAfter} voters and the quorum of ${quorumAfter} stay as they are.`
        : `Voters ${votersBefore} → ${votersAfter}, quorum ${quorumBefore} → ${quorumAfter}; ${servingAfter} of them serve without it.`,
    );
  }
  if (preview.holdsLease)
    parts.push("It holds the group's lease, or owes its last word on one: that ends with it.");
  if (preview.warning !== null) parts.push(preview.warning);
  return parts.join(" ");
}
