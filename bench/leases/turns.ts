/** Nodes that do nothing but take turns at their groups' leases. */
import type { Dispatcher } from "undici";
import type { Fleet } from "../../examples/demo/fleet.ts";
import type { JoinReply } from "../../protocol/access.ts";
import { Api } from "../api.ts";
import { LeaseNode } from "./node.ts";

/** Makes so many groups, and joins so many voters to each. */
export async function joinAll(
  fleet: Fleet,
  dispatcher: Dispatcher,
  many: { readonly groups: number; readonly voters: number },
): Promise<LeaseNode[][]> {
  const api = await Api.of(fleet);
  const groups: LeaseNode[][] = [];
  for (let at = 0; at < many.groups; at += 1) {
    const group = `group-${at}`;
    await api.call("POST", "/v1/groups", { name: group, mode: "quorum" });
    const asked = { group, autoApprove: true, uses: many.voters };
    const { secret } = await api.call<{ secret: string }>("POST", "/v1/join-tokens", asked);
    const nodes: LeaseNode[] = [];
    for (let voter = 0; voter < many.voters; voter += 1) {
      const who = await api.call<JoinReply>("POST", "/v1/join", { token: secret, name: `${group}-${voter}` });
      const node = new LeaseNode(fleet.url, dispatcher, who);
      await node.open();
      nodes.push(node);
    }
    groups.push(nodes);
  }
  return groups;
}

/** One node of a group after the other; how long each cycle took is added to `ms`. */
export async function takeTurns(nodes: readonly LeaseNode[], cycles: number, ms: number[]): Promise<void> {
  for (let done = 0; done < cycles; done += 1) {
    const began = performance.now();
    await nodes[done % nodes.length]?.cycle();
    ms.push(performance.now() - began);
  }
}

/** Cycles in a second. */
export async function rate(cycles: number, work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (1000 * cycles) / (performance.now() - began);
}
