/** What every service takes and gives: who asks, and an outcome that may be a refusal. */
import type { OperatorRole } from "../../protocol/access.ts";
import type { GroupName, NodeId } from "../../protocol/names.ts";
import type { ProblemCode } from "../../protocol/problem.ts";
import type { Fault, Result } from "../../protocol/result.ts";
import type { DurationMs } from "../../protocol/time.ts";

/** Why something was not done; `retryAfterMs` when asking again later may help. */
export type Refusal = Fault<ProblemCode> & { readonly retryAfterMs?: DurationMs };
export type Answer<T> = Promise<Result<T, Refusal>>;

/** Who asks, and from where: what the audit log records. */
export type Principal =
  | {
      readonly kind: "node";
      readonly nodeId: NodeId;
      readonly group: GroupName;
      readonly membership: "pending" | "approved";
      readonly from: string;
    }
  | {
      readonly kind: "operator";
      readonly id: string;
      readonly name: string;
      readonly role: OperatorRole;
      readonly from: string;
    };

/** An `If-Match` header as it came; null for none, which matches everything. */
export type IfMatch = string | null;
