/** What a node asks of its coordinator beside the session: a job for itself, and how a job ended. */
import { Job } from "../protocol/job.ts";
import type { JobId, NodeId } from "../protocol/names.ts";
import { JobStarted } from "../protocol/node.ts";
import { parse } from "../protocol/parse.ts";
import { err, type Fault, type Result } from "../protocol/result.ts";
import type { DurationMs } from "../protocol/time.ts";
import type { JobEnd } from "./core/local-job.ts";
import type { HttpClient } from "./session/http-client.ts";

const ASK_TIMEOUT_MS: DurationMs = 20_000;

/**
 * Asks that this node be updated or rolled back; it takes the lease like any other. Errors: the coordinator's
 * (`already-up-to-date`, `update-in-progress`, `no-backup`, …), `unreachable`.
 */
export async function askForJob(
  http: HttpClient,
  nodeId: NodeId,
  kind: "update" | "rollback",
  retry: boolean,
): Promise<Result<JobStarted, Fault>> {
  const answer = await http.call({
    method: "POST",
    path: `/v1/nodes/${nodeId}/${kind}`,
    body: kind === "update" ? { retry } : {},
    timeoutMs: ASK_TIMEOUT_MS,
  });
  if (answer.ok) return parse(JobStarted, answer.value, "The coordinator's answer");
  const { code, message, hint } = answer.error;
  return err({ code, message, ...(hint === undefined ? {} : { hint }) });
}

/** How a job ended by the coordinator's books; null when it has not, or when that cannot be learned now. */
export async function askHowJobEnded(http: HttpClient, jobId: JobId): Promise<JobEnd | null> {
  const answer = await http.call({ method: "GET", path: `/v1/jobs/${jobId}`, timeoutMs: ASK_TIMEOUT_MS });
  if (!answer.ok) return null;
  const job = parse(Job, answer.value, "The coordinator's answer");
  if (!job.ok) return null;
  switch (job.value.status) {
    case "queued":
    case "running":
      return null;
    case "succeeded":
      return { result: "succeeded", reason: null };
    case "failed":
    case "cancelled":
      return { result: "failed", reason: job.value.reason };
  }
}
