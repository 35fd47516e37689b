import type { Command } from "commander";
import type { RolloutPlan } from "../../../protocol/plan.ts";
import { Rollout } from "../../../protocol/rollout.ts";
import { type ApiClient, path } from "../../api/client.ts";
import { sure } from "../../confirm/sure.ts";
import { planText } from "../../show/plan.ts";
import { plural } from "../../show/rollout/words.ts";
import { selected } from "../../show/selected.ts";
import type { World } from "../../world.ts";
import { apiOf, leaf, must, print, withYes } from "../leaf.ts";
import { mustBeStartable, type Order, type OrderOptions, orderOf, planOf, withOrder } from "./order.ts";
import { type WatchOptions, watched, withWatch } from "./watched.ts";

type StartOptions = OrderOptions & WatchOptions & { dryRun?: true; yes?: true };

export const startRollout = (world: World): Command =>
  withWatch(withYes(withOrder(leaf("start", "show what would be done, ask, and start it"))))
    .option("--dry-run", "only show what would be done")
    .option("--plan <hash>", "start only exactly this plan, as a dry run has shown it")
    .action(async (options: StartOptions, command: Command) => {
      const api = await apiOf(world, command);
      const order = orderOf(options);
      if (options.dryRun === true) return showPlan(world, command, await planOf(api, order));
      const agreed = options.yes === true ? order : await agreedOn(world, api, order);
      const rollout = must(
        await api.call({ method: "POST", path: path("v1", "rollouts"), body: agreed, answer: Rollout }),
      );
      if (options.watch === true) return watched(world, command, api, rollout.id, options.timeout);
      const follow =
        rollout.endedAt === null ? `\nFollow it with: baton rollout status ${rollout.id} --watch` : "";
      const size = plural(rollout.nodes.length, "node");
      print(
        world,
        command,
        rollout,
        `Rollout ${rollout.id} started: ${selected(rollout.selection)} → ${rollout.release}, ${size}.${follow}`,
      );
    });

/** `baton rollout plan`: the same as `start --dry-run`. */
export const planRollout = (world: World): Command =>
  withOrder(leaf("plan", "show what a rollout would do; nothing is started")).action(
    async (options: OrderOptions, command: Command) => {
      const api = await apiOf(world, command);
      showPlan(world, command, await planOf(api, orderOf(options)));
    },
  );

function showPlan(world: World, command: Command, plan: RolloutPlan): void {
  print(world, command, plan, planText(world.colors, plan, world.out.columns ?? 100));
  mustBeStartable(plan);
}

/**
 * The order that a person has seen the plan of and has agreed to. What is started is that plan: if the world has
 * changed meanwhile, the coordinator refuses it.
 */
async function agreedOn(world: World, api: ApiClient, order: Order): Promise<Order> {
  const plan = await planOf(api, order);
  if (world.ask !== null) {
    world.err.write(`${planText(world.colors, plan, world.err.columns ?? 100)}\n\n`);
  }
  mustBeStartable(plan);
  const size = plural(plan.nodes.length, "node");
  await consent(world, order);
  await sure(world, undefined, {
    what: `Bring ${size} to ${plan.release}?`,
    type: String(plan.nodes.length),
    called: "the number of nodes",
  });
  return { ...order, planHash: order.planHash ?? plan.hash };
}

/** What takes a service down, or leaves an ill node out of the reckoning, is agreed to by name. */
async function consent(world: World, { acceptOutage, allowUnhealthy = [], selection }: Order): Promise<void> {
  if (acceptOutage === true) {
    await sure(world, undefined, {
      what: `Groups of ${selected(selection)} that are too small to lose a node will be without quorum meanwhile: their service is down.`,
      type: "outage",
      called: "the word",
    });
  }
  for (const node of allowUnhealthy) {
    await sure(world, undefined, {
      what: `${node} is unhealthy, and the rollout begins all the same.`,
      type: node,
      called: "the node's name",
    });
  }
}
