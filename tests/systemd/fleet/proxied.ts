import type { FaultProxy } from "../../harness/fault-proxy.ts";
import { ADDRESSES, LAB_ADDRESS, type Lab } from "../lab/lab.ts";
import type { Node } from "../lab/node.ts";
import { certificates } from "./certificates.ts";

/** A proxy that stands in for c1: the same port and certificate, at the lab's own end of the bridge. */
export async function proxyFor(lab: Lab): Promise<FaultProxy> {
  const { cert, key } = await certificates(lab);
  const target = { host: ADDRESSES.c1, port: 8420, tls: true };
  return lab.proxy(target, { port: 8420, tls: { cert, key } });
}

/** From its next look on, the node takes the proxy for c1. The node may be down. */
export function sendThroughProxy(node: Node): void {
  node.write("/etc/hosts", node.read("/etc/hosts").replace(`${ADDRESSES.c1} c1`, `${LAB_ADDRESS} c1`));
}
