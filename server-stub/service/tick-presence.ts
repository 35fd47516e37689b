import { stateOf } from "../core/presence/presence.ts";
import type { Change, StoredNode } from "../store/records.ts";
import { isExpectedAway, offline } from "./alerts-of-nodes.ts";
import type { Context } from "./context.ts";
import { runRollouts } from "./engine.ts";
import { isolated } from "./isolated.ts";
import { pushGroup } from "./push.ts";

/**
 * Writes who came and who went, raises and resolves the alerts for it, and now and then writes when everybody was
 * seen last. A node that was never heard is not said to be lost, and nobody is in the first three intervals; nor is
 * there an alert for one that restarts under its lease, until that has taken too long.
 */
export async function tickPresence(
  ctx: Context,
  due: { readonly sweep: boolean; readonly seen: boolean },
): Promise<void> {
  const groups = new Set<string>();
  await isolated(ctx, "presence", {}, async () => {
    for (const node of await changedNodes(ctx, due.sweep)) {
      await isolated(ctx, "presence", { nodeId: node.value.id }, async () => {
        const changed = await writePresence(ctx, node);
        if (changed) groups.add(node.value.group);
      });
    }
  });
  for (const group of groups) {
    await isolated(ctx, "rollout", { group }, async () => {
      await runRollouts(ctx, group);
      await pushGroup(ctx, group);
    });
  }
  if (due.seen) await isolated(ctx, "last-seen", {}, () => writeLastSeen(ctx));
}

/**
 * Nodes whose presence is no longer what was written. Usually only those that were heard since the start are looked
 * at, in memory; a sweep reads all, and so finds who was never heard again.
 */
async function changedNodes(ctx: Context, sweep: boolean): Promise<readonly StoredNode[]> {
  if (sweep) {
    const nodes = await ctx.store.nodes();
    tellOthers(ctx, nodes);
    return nodes.filter((node) => isNews(ctx, node));
  }
  const changed: StoredNode[] = [];
  // Asked once: there may be thousands of them, four times a second.
  const now = ctx.now();
  for (const [id, live] of ctx.live.all()) {
    if (live.presence === undefined || stateOf(live.presence, ctx.timing, now) === live.presenceWritten)
      continue;
    const node = await ctx.store.node(id);
    if (node !== null && isNews(ctx, node)) changed.push(node);
  }
  return changed;
}

/** At most that many are told of in a sweep: after a restart it may be everybody. */
const TOLD_AT_ONCE = 500;

/**
 * Just started, the coordinator shows nobody as offline. Who turns out to be as was written before is no change to
 * write, but another thing to see: onlookers are told of it all the same.
 */
function tellOthers(ctx: Context, nodes: readonly StoredNode[]): void {
  let told = 0;
  for (const { value: node } of nodes) {
    const live = ctx.live.get(node.id);
    const state = stateOf(live.presence, ctx.timing, ctx.now());
    if (live.presenceTold === state || told === TOLD_AT_ONCE) continue;
    live.presenceTold = state;
    ctx.nodeNews.heard(node.id);
    told += 1;
  }
}

function isNews(ctx: Context, { value: node }: StoredNode): boolean {
  const live = ctx.live.get(node.id);
  live.presenceWritten = node.presence;
  const state = stateOf(live.presence, ctx.timing, ctx.now());
  // What it has said waits to be taken: a coordinator that has much to do is late, and not the node.
  if (state === "offline" && live.waiting > 0) return false;
  // A node that was never heard is not lost.
  return node.known !== null && state !== "unknown" && state !== node.presence;
}

/** A write that finds the node changed is left to the next tick. */
async function writePresence(ctx: Context, node: StoredNode): Promise<boolean> {
  const { id, name, group, membership } = node.value;
  const state = stateOf(ctx.live.presence(id), ctx.timing, ctx.now());
  if (state === "unknown") return false;
  const at = ctx.wall();
  const alert = "node_offline" as const;
  const changes: Change[] = [
    { kind: "node", value: { ...node.value, presence: state }, expected: node.revision },
  ];
  if (state === "online") {
    changes.push({ kind: "resolve", alert, subject: id, at, because: "It was heard again." });
  } else if (membership === "approved") {
    const lease = await ctx.store.lease(group);
    if (!isExpectedAway(ctx, lease?.value ?? null, id)) changes.push(offline(node.value, at));
  }
  ctx.log.info({ nodeId: id, name, presence: state }, "presence changed");
  const written = (await ctx.store.apply(changes)).ok;
  if (written) ctx.live.get(id).presenceWritten = state;
  return written;
}

/** When everybody was seen last, in one write. */
export async function writeLastSeen(ctx: Context): Promise<void> {
  const seen = [...ctx.live.all()].flatMap(([id, node]) => {
    const at = node.unwrittenSeenAt;
    return at === null ? [] : [{ id, at, node }];
  });
  if (seen.length === 0) return;
  await ctx.store.touchNodes(seen.map(({ id, at }) => ({ id, at })));
  for (const { node, at } of seen) if (node.unwrittenSeenAt === at) node.unwrittenSeenAt = null;
}
