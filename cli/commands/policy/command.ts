import type { Command } from "commander";
import { FleetPolicy } from "../../../protocol/policy.ts";
import type { RolloutPolicyChoice } from "../../../protocol/rollout.ts";
import { type ApiClient, path } from "../../api/client.ts";
import { choiceParts } from "../../show/rollout/words.ts";
import { facts } from "../../show/table.ts";
import type { World } from "../../world.ts";
import { apiOf, branch, leaf, must, print } from "../leaf.ts";
import { type PolicyOptions, policyOf, withPolicy } from "../rollout/policy-options.ts";
import { type FreezeOptions, freezeLine, freezeOf, withFreeze } from "./freeze-options.ts";
import { type WindowOptions, windowLines, windowsAfter, withWindows } from "./window-options.ts";

/** `baton policy`: when nodes may be disrupted at all, and what rollouts take unless told otherwise. */
export const policyCommand = (world: World): Command =>
  branch(
    "policy",
    "when nodes may be disrupted, and what a rollout takes when it is not told otherwise",
    [show(world), windows(world), freeze(world), unfreeze(world), rollout(world)],
    "show",
  );

const WHERE = path("v1", "policy");

const factsOf = (policy: FleetPolicy): string =>
  facts([
    ["freeze", freezeLine(policy.freeze)],
    ...namedLines("windows", windowLines(policy.windows), "always open"),
    ...namedLines("rollouts", choiceParts(policy.rollout), "the defaults"),
  ]);

/** The first line named, the others below it. */
export const namedLines = (
  name: string,
  lines: readonly string[],
  none: string,
): readonly (readonly [string, string])[] =>
  lines.length === 0 ? [[name, none]] : lines.map((line, index) => [index === 0 ? name : "", line] as const);

const show = (world: World): Command =>
  leaf("show", "the fleet's windows, its freeze, and its policy for rollouts").action(
    async (_: object, command: Command) => {
      const policy = must(await (await apiOf(world, command)).call({ path: WHERE, answer: FleetPolicy }));
      print(world, command, policy, factsOf(policy));
    },
  );

const windows = (world: World): Command =>
  withWindows(leaf("windows", "when updates may begin, for groups without windows of their own")).action(
    async (options: WindowOptions, command: Command) => {
      const api = await apiOf(world, command);
      const before = must(await api.tagged({ path: WHERE, answer: FleetPolicy }));
      const after = windowsAfter(before.value.windows, options);
      const policy = after === null ? before.value : await edit(api, { windows: after }, before.etag);
      const lines = windowLines(policy.windows);
      print(world, command, policy.windows, lines.length === 0 ? "Always open." : lines.join("\n"));
    },
  );

const edit = async (api: ApiClient, body: object, ifMatch: string | null): Promise<FleetPolicy> =>
  must(await api.call({ method: "PATCH", path: WHERE, body, ifMatch, answer: FleetPolicy }));

const freeze = (world: World): Command =>
  withFreeze(
    world,
    leaf("freeze", "nobody begins to be updated until it is lifted; what is in flight finishes"),
  ).action(async (options: FreezeOptions, command: Command) => {
    const api = await apiOf(world, command);
    const request = { method: "POST", path: `${WHERE}/freeze`, body: freezeOf(options) } as const;
    const policy = must(await api.call({ ...request, answer: FleetPolicy }));
    print(world, command, policy, `The fleet is ${freezeLine(policy.freeze)}`);
  });

const unfreeze = (world: World): Command =>
  leaf("unfreeze", "lift the fleet's freeze; those of single groups stay").action(
    async (_: object, command: Command) => {
      const api = await apiOf(world, command);
      const policy = must(await api.call({ method: "POST", path: `${WHERE}/unfreeze`, answer: FleetPolicy }));
      print(world, command, policy, "The fleet is not frozen any more.");
    },
  );

type RolloutOptions = PolicyOptions & { reset?: true };

const rollout = (world: World): Command =>
  withPolicy(
    leaf("rollout", "what a rollout takes when it is not told otherwise; shows it when nothing is said"),
  )
    .option("--reset", "back to the defaults, but for what else is said")
    .action(async (options: RolloutOptions, command: Command) => {
      const api = await apiOf(world, command);
      const before = must(await api.tagged({ path: WHERE, answer: FleetPolicy }));
      const change = policyOf(options);
      const wanted: RolloutPolicyChoice = {
        ...(options.reset === true ? {} : before.value.rollout),
        ...change,
      };
      const asked = options.reset === true || Object.keys(change).length > 0;
      const policy = asked ? await edit(api, { rollout: wanted }, before.etag) : before.value;
      const lines = choiceParts(policy.rollout);
      print(world, command, policy.rollout, lines.length === 0 ? "The defaults." : lines.join("\n"));
    });
