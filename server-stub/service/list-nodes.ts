import type { GroupName } from "../../protocol/names.ts";
import type { Node } from "../../protocol/node.ts";
import { type PageQuery, pageOf } from "../../protocol/paging.ts";
import { ok } from "../../protocol/result.ts";
import type { StoredNode } from "../store/records.ts";
import type { Context } from "./context.ts";
import type { Answer, Page } from "./coordinator.ts";
import { rolloutWith, showNode } from "./node-view.ts";
import { readPublished } from "./releases.ts";

/** All nodes, or those of one group, as the API shows them. */
export async function listNodes(ctx: Context, only: GroupName | undefined): Promise<readonly Node[]> {
  return showAll(ctx, only, await ctx.store.nodes(only));
}

/** One page of them, by name. Only what is on it is put together. Refusal: `cursor-invalid`. */
export async function pageOfNodes(
  ctx: Context,
  only: GroupName | undefined,
  query: PageQuery,
): Answer<Page<Node>> {
  const all = await ctx.store.nodes(only);
  const page = pageOf(all, ({ value: { name, id } }) => `${name} ${id}`, query);
  if (!page.ok) return page;
  return ok({ items: await showAll(ctx, only, page.value.items), next: page.value.next });
}

async function showAll(
  ctx: Context,
  only: GroupName | undefined,
  nodes: readonly StoredNode[],
): Promise<readonly Node[]> {
  const { store } = ctx;
  const names = [...new Set(nodes.map(({ value }) => value.group))];
  const [groups, busy, rollouts, channels, active] = await Promise.all([
    store.groups(),
    store.busyLeases(),
    store.unfinishedRollouts(only),
    store.channels(),
    Promise.all(names.map((name) => store.activeJobsOf(name))),
  ]);
  const published = readPublished(ctx);
  const leases = new Map(busy.map((lease) => [lease.group, lease.value]));
  const jobs = new Map(active.flat().map((job) => [job.value.nodeId, job.value]));
  const byName = new Map(groups.map((group) => [group.value.name, group.value]));
  const channelsByName = new Map(channels.map((channel) => [channel.value.name, channel.value]));
  const running = rollouts.map((rollout) => rollout.value);
  return nodes.flatMap((node) => {
    const { id, group: name } = node.value;
    const group = byName.get(name);
    if (group === undefined) return [];
    return [
      showNode(ctx, node, {
        published,
        group,
        channel: group.channel === null ? null : (channelsByName.get(group.channel) ?? null),
        lease: leases.get(name) ?? { lastToken: 0, holders: [], broken: [] },
        job: jobs.get(id) ?? null,
        rollout: rolloutWith(running, id),
      }),
    ];
  });
}
