/** Twelve nodes in four quorum groups of three: the fleet of three, and nine more that join it. */
import { JoinTokenCreated } from "../../../protocol/access.ts";
import { parse } from "../../../protocol/parse.ts";
import type { Lab } from "../lab/lab.ts";
import { Fleet } from "./fleet.ts";
import { agentImage, FIRST_RELEASE, GROUP, joinNode, lead } from "./image.ts";

/** The groups by name, with their nodes; the last of each leads. */
export const GROUPS = {
  [GROUP]: ["n1", "n2", "n3"],
  east: ["n4", "n5", "n6"],
  north: ["n7", "n8", "n9"],
  west: ["n10", "n11", "n12"],
} as const;

export type GroupName = keyof typeof GROUPS;

/** All of them on the first release and serving, each group with its leader. */
export async function bootTwelve(lab: Lab): Promise<Fleet> {
  const [three, image] = await Promise.all([Fleet.boot(lab), agentImage(lab)]);
  const added = (Object.keys(GROUPS) as GroupName[]).filter((group) => group !== GROUP);
  const nodes = await lab.boot(
    added.flatMap((group) => GROUPS[group]),
    { image },
  );
  const fleet = await three.with(nodes);
  for (const group of added) await joinAll(fleet, group);
  const first = await fleet.start({
    selection: { groups: added },
    release: FIRST_RELEASE,
    policy: { stages: [1], concurrency: 9 },
  });
  await fleet.untilOver(first.id, 120_000);
  for (const group of added) {
    await fleet.baton(["groups", "edit", group, "--mode", "quorum"]);
    await lead(fleet.machine(GROUPS[group][2]));
  }
  await fleet.untilServing(Object.values(GROUPS).flat());
  return fleet;
}

/** As with the first three, every node stands for itself until its group is whole. */
async function joinAll(fleet: Fleet, group: GroupName): Promise<void> {
  await fleet.baton(["groups", "create", group, "--mode", "independent"]);
  const asked = ["tokens", "join", "--group", group, "--auto-approve", "--uses", "3", "--json"];
  const token = parse(JoinTokenCreated, JSON.parse(await fleet.baton(asked)), "the join token");
  if (!token.ok) throw new Error(token.error.message);
  await Promise.all(GROUPS[group].map((name) => joinNode(fleet.machine(name), token.value)));
}
