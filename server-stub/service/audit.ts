import type { Change } from "../store/records.ts";
import type { Context } from "./context.ts";
import type { Principal } from "./coordinator.ts";

/** What the coordinator does by itself is in the audit log under this name. */
export const COORDINATOR = { actor: "coordinator", from: "" } as const;

export const actorOf = (by: Principal): { actor: string; from: string } =>
  by.kind === "node" ? nodeActor(by.nodeId, by.from) : { actor: `operator ${by.name}`, from: by.from };

export const nodeActor = (nodeId: string, from = ""): { actor: string; from: string } => ({
  actor: `node ${nodeId}`,
  from,
});

/** One entry of the audit log: `action` on `subject`, what it was before and after. */
export const audit = (
  ctx: Context,
  who: { readonly actor: string; readonly from: string },
  action: string,
  subject: string,
  before: unknown,
  after: unknown,
): Change => {
  const requestId = ctx.requestId();
  const entry = { at: ctx.wall(), ...who, action, subject, before, after };
  return { kind: "audit", value: requestId === null ? entry : { ...entry, requestId } };
};
