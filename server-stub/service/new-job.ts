import type { Build } from "../../protocol/build.ts";
import type { JobCause, JobKind } from "../../protocol/job.ts";
import type { JobId, RolloutId } from "../../protocol/names.ts";
import type { JobRecord } from "../core/job/job.ts";
import type { NodeRecord } from "../store/records.ts";
import type { Context } from "./context.ts";

/** A job that nobody has begun. */
export const newJob = (
  ctx: Context,
  node: NodeRecord,
  job: {
    readonly id: JobId;
    readonly kind: JobKind;
    readonly cause: JobCause;
    /** Null for a diagnosis. */
    readonly to: Build | null;
    readonly rolloutId?: RolloutId;
    readonly retry?: boolean;
    readonly retryOf?: JobId | null;
    readonly acceptOutage?: boolean;
  },
): JobRecord => ({
  id: job.id,
  kind: job.kind,
  nodeId: node.id,
  group: node.group,
  cause: job.cause,
  rolloutId: job.rolloutId ?? null,
  release: job.to?.version ?? null,
  from: ctx.live.presence(node.id)?.hello.build ?? node.known?.build ?? null,
  to: job.to,
  retry: job.retry ?? false,
  acceptOutage: job.acceptOutage ?? false,
  status: "queued",
  step: null,
  percent: 0,
  bytesPerSecond: null,
  reason: null,
  confirming: null,
  returns: 0,
  retryOf: job.retryOf ?? null,
  createdAt: ctx.wall(),
  startedAt: null,
  endedAt: null,
});
