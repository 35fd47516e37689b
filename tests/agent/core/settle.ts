import type { World } from "./world.ts";

/** From here on everything works: the node must come to rest, and the lease to its coordinator. */
export function settle(world: World): void {
  const { node, coordinator } = world;
  world.feed({ kind: "health", report: { healthy: true } });
  for (let turn = 0; turn < 400; turn++) {
    if (coordinator.lease === null) coordinator.desired = null;
    if (node.exited !== null) world.crash(true);
    if (!world.session) world.feed({ kind: "session-opened", session: "5".repeat(32) });
    world.feed({ kind: "health", report: { healthy: true } });
    const [asked] = node.pending;
    if (asked !== undefined) world.answer(asked);
    if (node.exited === null) world.heartbeat();
    coordinator.expire();
    world.wait(1_000);
    const { facts, update } = node.machine;
    const isQuiet =
      update.kind === "idle" && facts.journal.finalWords.length === 0 && node.pending.length === 0;
    if (isQuiet && coordinator.lease === null) return;
  }
  throw new Error(
    `it never came to rest: ${node.machine.update.kind}, lease ${JSON.stringify(coordinator.lease)}`,
  );
}
