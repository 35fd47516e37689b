import type { Command } from "commander";
import { Alert } from "../../protocol/alert.ts";
import { Group } from "../../protocol/group.ts";
import { Node } from "../../protocol/node.ts";
import { FleetPolicy } from "../../protocol/policy.ts";
import { RolloutSummary } from "../../protocol/rollout.ts";
import { ServiceVersion } from "../../protocol/service.ts";
import { type ApiClient, path } from "../api/client.ts";
import { everything } from "../api/everything.ts";
import { newest } from "../api/newest.ts";
import { type Fleet, fleetText } from "../show/fleet.ts";
import type { World } from "../world.ts";
import { apiOf, leaf, must, print } from "./leaf.ts";
import { isOver } from "./rollout/watch.ts";

/** `baton status`: the fleet at a glance. */
export const statusCommand = (world: World): Command =>
  leaf(
    "status",
    "the fleet at a glance: who serves, what runs, what is under way, what wants a person",
  ).action(async (_: object, command: Command) => {
    const api = await apiOf(world, command);
    const fleet = await lookAt(api, world.now());
    const { nodes, ...rest } = fleet;
    const told = { ...rest, nodes: nodes.length, behind: nodes.filter((node) => node.behind).length };
    print(world, command, told, fleetText(world.colors, fleet, world.out.columns ?? 100));
  });

async function lookAt(api: ApiClient, now: number): Promise<Fleet> {
  const [coordinator, nodes, groups, rollouts, alerts, policy] = await Promise.all([
    api.call({ path: path("v1", "version"), answer: ServiceVersion }),
    everything(api, ["v1", "nodes"], "nodes", Node),
    everything(api, ["v1", "groups"], "groups", Group),
    newest(api, ["v1", "rollouts"], "rollouts", RolloutSummary, 50),
    everything(api, ["v1", "alerts"], "alerts", Alert, { state: "open" }),
    api.call({ path: path("v1", "policy"), answer: FleetPolicy }),
  ]);
  const latest = must(rollouts);
  const active = latest.filter((rollout) => !isOver(rollout));
  return {
    url: api.url,
    coordinator: must(coordinator).version,
    nodes: must(nodes),
    groups: must(groups),
    rollouts: active.length > 0 ? active : latest.slice(0, 1),
    alerts: must(alerts),
    policy: must(policy),
    now,
  };
}
