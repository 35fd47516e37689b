/**
 * What a plan's hash is over, and how one plan differs from another. Pure.
 *
 * Invariant: nothing of it is a time, and nothing of it changes because a node comes or goes; but whoever leads its
 * group goes last, and so the order changes when leadership moves.
 * Source: docs/adr/0086-the-hash-of-a-plan.md.
 */
import type { NodeId } from "../../../protocol/names.ts";
import type { RolloutPolicy } from "../../../protocol/rollout.ts";
import { fingerprint } from "../fingerprint.ts";
import type { Draft } from "./draft.ts";

export type Ingredients = {
  readonly release: string;
  /** By platform. */
  readonly builds: Readonly<Record<string, string>>;
  readonly order: readonly NodeId[];
  readonly skips: Readonly<Record<NodeId, string>>;
  readonly policy: RolloutPolicy;
  /** Of every selected node, and of all members of the quorum groups among them. */
  readonly members: Readonly<Record<NodeId, { readonly group: string; readonly voter: boolean }>>;
  readonly groups: Readonly<Record<string, { readonly mode: string; readonly spare: number | null }>>;
};

/** With what the nodes are called, for sentences; names are no part of a plan. */
export type PlanMemory = { readonly ingredients: Ingredients; readonly names: ReadonlyMap<NodeId, string> };

export function memoryOf({ world, request, ordered, skips }: Draft): PlanMemory {
  const { release, policy } = request;
  return {
    ingredients: {
      release: release.version,
      builds: Object.fromEntries(release.bundles.map(({ platform, buildHash }) => [platform, buildHash])),
      order: ordered.nodes.map(({ node }) => node.nodeId),
      skips: Object.fromEntries(skips.map(({ node, reason }) => [node.id, reason.code])),
      policy,
      members: Object.fromEntries(world.nodes.map(({ id, group, voter }) => [id, { group, voter }])),
      groups: Object.fromEntries(world.groups.map(({ name, mode, spare }) => [name, { mode, spare }])),
    },
    names: new Map(world.nodes.map(({ id, name }) => [id, name])),
  };
}

/** Sets as sorted lines: ten thousand of them are quicker to write down than as many objects. */
export function hashOf({ ingredients }: PlanMemory): string {
  const { order, skips, members, ...rest } = ingredients;
  return fingerprint({
    ...rest,
    order: order.join("\n"),
    skips: linesOf(skips, (code) => code),
    members: linesOf(members, ({ group, voter }) => `${group} ${voter ? "voter" : "-"}`),
  });
}

const linesOf = <T>(record: Readonly<Record<string, T>>, write: (value: T) => string): string =>
  Object.entries(record)
    .map(([id, value]) => `${id} ${write(value)}`)
    .sort()
    .join("\n");

/** What is different now, in sentences without their full stop; empty when nothing is. */
export function differences(before: PlanMemory, after: PlanMemory): readonly string[] {
  const [was, is] = [before.ingredients, after.ingredients];
  const nameOf = (id: NodeId): string => after.names.get(id) ?? before.names.get(id) ?? id;
  return [
    ...releaseDifferences(was, is),
    ...policyDifferences(was, is),
    ...memberDifferences(was, is, nameOf),
    ...selectionDifferences(was, is, nameOf),
    ...skipDifferences(was, is, nameOf),
    ...orderDifferences(was, is, nameOf),
  ];
}

function releaseDifferences(was: Ingredients, is: Ingredients): string[] {
  if (was.release !== is.release) return [`the release is ${is.release}, and was ${was.release}`];
  return keysOf(was.builds, is.builds)
    .filter((platform) => was.builds[platform] !== is.builds[platform])
    .map((platform) => {
      if (is.builds[platform] === undefined) return `${is.release} has no bundle for ${platform} any more`;
      if (was.builds[platform] === undefined) return `${is.release} has a bundle for ${platform} now`;
      return `${is.release} is another build for ${platform}`;
    });
}

const policyDifferences = (was: Ingredients, is: Ingredients): string[] =>
  keysOf(was.policy, is.policy).flatMap((key) => {
    const [old, now] = [was.policy, is.policy].map((policy) => JSON.stringify(Reflect.get(policy, key)));
    return old === now ? [] : [`${key} is ${now}, and was ${old}`];
  });

function memberDifferences(was: Ingredients, is: Ingredients, nameOf: (id: NodeId) => string): string[] {
  const groups = keysOf(was.groups, is.groups).flatMap((name) => {
    const [old, now] = [was.groups[name], is.groups[name]];
    if (old === undefined || now === undefined) return [];
    const mode = old.mode === now.mode ? [] : [`${name} is ${now.mode} now`];
    return old.spare === now.spare ? mode : [...mode, `${name} keeps another number of voters to spare`];
  });
  const nodes = keysOf(was.members, is.members).flatMap((id) => {
    const [old, now] = [was.members[id], is.members[id]];
    if (now === undefined) return [`${nameOf(id)} is no longer in ${old?.group}`];
    if (old === undefined) return [`${nameOf(id)} joined ${now.group}`];
    if (old.group !== now.group) return [`${nameOf(id)} moved from ${old.group} to ${now.group}`];
    if (old.voter === now.voter) return [];
    return [`${nameOf(id)} ${now.voter ? "is a voter now" : "is no voter any more"}`];
  });
  return [...groups, ...nodes];
}

/** Of those that are members in both. */
function selectionDifferences(was: Ingredients, is: Ingredients, nameOf: (id: NodeId) => string): string[] {
  const [before, after] = [was, is].map(({ order, skips }) => new Set([...order, ...Object.keys(skips)]));
  return Object.keys(is.members)
    .sort()
    .flatMap((id) => {
      const [old, now] = [before?.has(id), after?.has(id)];
      if (old === now || was.members[id] === undefined) return [];
      return [`${nameOf(id)} is ${now === true ? "selected now" : "no longer selected"}`];
    });
}

function skipDifferences(was: Ingredients, is: Ingredients, nameOf: (id: NodeId) => string): string[] {
  const going = new Set(is.order);
  return keysOf(was.skips, is.skips).flatMap((id) => {
    const [old, now] = [was.skips[id], is.skips[id]];
    if (old === now || was.members[id] === undefined || is.members[id] === undefined) return [];
    if (now !== undefined) return [`${nameOf(id)} is left out now: ${now}`];
    return going.has(id) ? [`${nameOf(id)} is no longer left out (${old})`] : [];
  });
}

/** Only of those that are in both: that somebody came or went is said already. */
function orderDifferences(was: Ingredients, is: Ingredients, nameOf: (id: NodeId) => string): string[] {
  const [old, now] = [was, is].map(({ order }) => new Set(order));
  const before = was.order.filter((id) => now?.has(id));
  const after = is.order.filter((id) => old?.has(id));
  const at = after.findIndex((id, index) => id !== before[index]);
  const [is1, was1] = [after[at], before[at]];
  if (is1 === undefined || was1 === undefined) return [];
  return [`the order is another: ${nameOf(is1)} goes where ${nameOf(was1)} was to go`];
}

const keysOf = (a: object, b: object): string[] =>
  [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
