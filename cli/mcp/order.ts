/** What a rollout is asked for with, by an assistant. */
import { RolloutPlan } from "../../protocol/plan.ts";
import type { Fault, Result } from "../../protocol/result.ts";
import { StartRolloutRequest } from "../../protocol/rollout.ts";
import { type Static, Type } from "../../protocol/schema.ts";
import { type ApiClient, path } from "../api/client.ts";

const { planHash: _hash, ...order } = StartRolloutRequest.properties;

/** The members of an order; all but the selection may be left out. */
export const ORDER = order;
const Order = Type.Object(ORDER, { additionalProperties: false });
export type Order = Static<typeof Order>;

/** What the order would do; nothing is changed. */
export const planOf = (api: ApiClient, body: Order): Promise<Result<RolloutPlan, Fault>> =>
  api.call({ method: "POST", path: `${path("v1", "rollouts")}?dryRun=true`, body, answer: RolloutPlan });
