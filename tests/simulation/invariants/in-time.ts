/**
 * `dist` is looked at for the flip within the time that the commit gave, by the node's own clock: whoever breaks an
 * overdue lease has waited for that time, and must not meet a node that begins only then.
 */
import type { Holder } from "../../../server-stub/core/lease/record.ts";
import { type NodeMachine, ROOT } from "../node.ts";
import { Violation } from "./violation.ts";

type Given = { readonly countedFromMs: number; readonly actBy: number };

export class InTime {
  readonly #given = new Map<string, Given>();
  readonly #syncedAt = new Map<NodeMachine, number>();

  /** The lease is in flight by what was just written: what was asked for was asked for before. */
  letGo(node: NodeMachine, { token, ...holder }: Holder): void {
    if (holder.phase !== "in-flight") return;
    const key = `${node.group} ${token}`;
    const { countedFromMs, actWithinMs } = holder;
    if (this.#given.get(key)?.countedFromMs === countedFromMs) return;
    this.#given.set(key, { countedFromMs, actBy: node.clock.uptime() + actWithinMs });
  }

  changed(node: NodeMachine, effect: string, path: string): void {
    if (effect === "sync" && path === ROOT) this.#syncedAt.set(node, node.clock.uptime());
  }

  /** The last look at the time comes after `dist.bak` was made to last, which is the last sync before the flip. */
  flips(node: NodeMachine, token: number): void {
    const given = this.#given.get(`${node.group} ${token}`);
    const syncedAt = this.#syncedAt.get(node);
    if (given === undefined || syncedAt === undefined || syncedAt <= given.actBy) return;
    const late = syncedAt - given.actBy;
    throw new Violation("in-time", `${node.name} began to flip ${late} ms after its time (token ${token}).`);
  }
}
