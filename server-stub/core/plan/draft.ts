/** A plan in the making: who goes, who does not, and what the checks look at. Pure. */
import type { Build } from "../../../protocol/build.ts";
import type { Reason } from "../../../protocol/job.ts";
import type { GroupName, NodeId } from "../../../protocol/names.ts";
import { type Ordered, orderNodes } from "../rollout/order.ts";
import { type Shelves, shelvesOf, whyLeftOut } from "./left-out.ts";
import type { PlanGroup, PlanNode, PlanRequest, PlanWorld } from "./world.ts";

/** A node that takes part, with what it is brought to; null while its platform is not known. */
export type Going = {
  readonly nodeId: string;
  readonly name: string;
  readonly group: GroupName;
  readonly role: PlanNode["role"];
  readonly first: boolean;
  readonly to: Build | null;
  readonly node: PlanNode;
};

/** A quorum group that loses somebody: all its members, and those of them that go, in their order. */
export type QuorumUnit = {
  readonly group: PlanGroup;
  readonly members: readonly PlanNode[];
  readonly going: readonly PlanNode[];
};

export type Draft = {
  readonly world: PlanWorld;
  readonly request: PlanRequest;
  readonly groups: ReadonlyMap<GroupName, PlanGroup>;
  /** Who may be ill or away all the same. */
  readonly allowed: ReadonlySet<NodeId>;
  readonly selected: readonly PlanNode[];
  readonly ordered: Ordered<Going>;
  readonly skips: readonly { readonly node: PlanNode; readonly reason: Reason }[];
  readonly quorum: readonly QuorumUnit[];
  /** Those that go and stand for themselves, in their order. */
  readonly alone: readonly PlanNode[];
};

export function draftOf(world: PlanWorld, request: PlanRequest): Draft {
  const groups = new Map(world.groups.map((group) => [group.name, group]));
  const shelves = shelvesOf(request.release, world.releases);
  const selected = world.nodes.filter((node) => node.selected).sort(byName);
  const allowed = new Set(request.allowUnhealthy);
  const going: Going[] = [];
  const skips: { node: PlanNode; reason: Reason }[] = [];
  for (const node of selected) {
    const reason = whyLeftOut(node, request, shelves);
    if (reason !== null) skips.push({ node, reason });
    else going.push(goingOf(node, allowed.has(node.id), targetOf(node, request, shelves)));
  }
  const isQuorum = (name: GroupName) => groups.get(name)?.mode === "quorum";
  const quorumNames = [...groups.keys()].filter(isQuorum);
  const ordered = orderNodes(going, quorumNames, request.policy);
  const inOrder = ordered.nodes.map(({ node }) => node.node);
  return {
    world,
    request,
    groups,
    allowed,
    selected,
    ordered,
    skips,
    quorum: quorumUnits(world, groups, inOrder),
    alone: inOrder.filter((node) => !isQuorum(node.group)),
  };
}

const goingOf = (node: PlanNode, first: boolean, to: Build | null): Going => {
  const { id: nodeId, name, group, role } = node;
  return { nodeId, name, group, role, first, to, node };
};

function targetOf({ known }: PlanNode, { release }: PlanRequest, shelves: Shelves): Build | null {
  const bundle = known === null ? undefined : shelves.bundle(known.platform);
  return bundle === undefined ? null : { version: release.version, buildHash: bundle.buildHash };
}

function quorumUnits(
  world: PlanWorld,
  groups: ReadonlyMap<GroupName, PlanGroup>,
  inOrder: readonly PlanNode[],
): readonly QuorumUnit[] {
  const members = Map.groupBy(world.nodes, ({ group }) => group);
  const going = Map.groupBy(inOrder, ({ group }) => group);
  return [...going].sort(byKey).flatMap(([name, nodes]) => {
    const group = groups.get(name);
    if (group?.mode !== "quorum") return [];
    return [{ group, members: [...(members.get(name) ?? [])].sort(byName), going: nodes }];
  });
}

const byName = (a: PlanNode, b: PlanNode): number => compare(a.name, b.name) || compare(a.id, b.id);
const byKey = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => compare(a, b);
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
