import { err, ok, type Result } from "../../protocol/result.ts";
import type { Principal, Refusal } from "../service/coordinator.ts";

const SOMEBODY_ELSES: Refusal = {
  code: "forbidden",
  message: "A node may only speak of itself; nothing was changed.",
  hint: "Ask with an operator's token.",
};

/** Whether a caller may speak of this node: operators of any (their role was checked), a node only of itself. */
export const ownNode = (by: Principal, nodeId: string): Result<void, Refusal> =>
  by.kind === "operator" || by.nodeId === nodeId
    ? ok(undefined)
    : err({ ...SOMEBODY_ELSES, context: { caller: by.nodeId, claimed: nodeId } });

/** Whether a caller may speak of this group: operators of any, a node only of the one that it is in. */
export const ownGroup = (by: Principal, group: string): Result<void, Refusal> =>
  by.kind === "operator" || by.group === group
    ? ok(undefined)
    : err({ ...SOMEBODY_ELSES, context: { caller: by.nodeId, claimed: group } });
