import type { Command } from "commander";
import { LeaseView } from "../../protocol/lease.ts";
import { FaultError } from "../../protocol/result.ts";
import { path } from "../api/client.ts";
import { sure } from "../confirm/sure.ts";
import { leaseFacts } from "../show/lease.ts";
import type { World } from "../world.ts";
import { apiOf, branch, countOption, leaf, must, print, withYes } from "./leaf.ts";

/** `baton lease`: leave to be disrupted, one node of a group at a time. */
export const leaseCommand = (world: World): Command =>
  branch("lease", "leave to be disrupted, one node of a group at a time", [show(world), breakIt(world)]);

const show = (world: World): Command =>
  leaf("show", "who holds a group's lease")
    .argument("<group>", "name")
    .action(async (group: string, _: object, command: Command) => {
      const api = await apiOf(world, command);
      const lease = must(await api.call({ path: path("v1", "groups", group, "lease"), answer: LeaseView }));
      print(world, command, lease, leaseFacts(lease, world.now()));
    });

type BreakOptions = { reason: string; token?: number; yes?: true };

const breakIt = (world: World): Command =>
  withYes(
    leaf(
      "break",
      "end the lease of a node that is lost; the node counts as down until it says its last word",
    ),
  )
    .argument("<group>", "name")
    .requiredOption("--reason <text>", "why; it is kept in the audit log")
    .option("--token <n>", "the lease that is meant (default: the one that is held now)", countToken)
    .action(async (group: string, { reason, token, yes }: BreakOptions, command: Command) => {
      const api = await apiOf(world, command);
      const where = path("v1", "groups", group, "lease");
      const { holder } = must(await api.call({ path: where, answer: LeaseView }));
      const meant = token ?? holder?.token;
      if (meant === undefined) {
        throw new FaultError({
          code: "not-found",
          message: `Nobody holds the lease of ${group}; there is nothing to break.`,
        });
      }
      const who = holder?.token === meant ? (holder.nodeName ?? holder.nodeId) : `token ${meant}`;
      await sure(world, yes, {
        what: `Break the lease of ${who} in ${group}? If that node still runs, two nodes may be down at once.`,
        type: group,
        called: "the group's name",
      });
      const body = { token: meant, reason };
      const lease = must(await api.call({ method: "POST", path: `${where}/break`, body, answer: LeaseView }));
      print(world, command, lease, leaseFacts(lease, world.now()));
    });

/** A lease's token is larger than a count usually is. */
const countToken = (text: string): number => {
  const token = Number(text);
  return Number.isSafeInteger(token) && token > 0 ? token : countOption(text);
};
