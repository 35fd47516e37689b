import type { Fleet } from "../fleet/fleet.ts";
import type { Node } from "../lab/node.ts";
import { AGENT_UNIT, statusOf, untilStatus } from "./watching.ts";

/** Orders that say keep it; they are lost on the way to every node that is not let through. */
export type Withheld = { letThrough(...names: readonly string[]): void };

const CONFIRM = /"confirm":\{/;

/** From now on no confirm reaches a node, as if the network ate it; everything else does. Needs a proxied fleet. */
export async function withholdConfirms(fleet: Fleet): Promise<Withheld> {
  await Promise.all(fleet.nodes.map(connectByWebSocket));
  const through = new Set<string>();
  fleet.proxy.filterFrames(({ direction, text, from }) =>
    direction === "toClient" && CONFIRM.test(text) && !through.has(from) ? "drop" : "pass",
  );
  return {
    letThrough: (...names) => {
      for (const name of names) through.add(fleet.machine(name).address);
    },
  };
}

/** A node that was up before its coordinator may have come to talk by HTTP, where single frames cannot be lost. */
async function connectByWebSocket(node: Node): Promise<void> {
  if ((await statusOf(node)).session.transport === "websocket") return;
  await node.systemctl("restart", AGENT_UNIT);
  await untilStatus(node, "session by WebSocket", ({ session }) => session.transport === "websocket");
}
