import { sameBuild } from "../../../protocol/build.ts";
import type { UpdateReport } from "../../../protocol/frames.ts";
import { holderOf, type LeaseRecord, mayBeDown } from "../lease/record.ts";
import type { Report } from "../lease/report.ts";
import type { JobRecord } from "./job.ts";

/** States in which a node has nothing under way that only a lease allows. */
const AT_REST: readonly UpdateReport["state"][] = ["idle", "preparing", "prepared"];

/**
 * The node runs what its job was to bring it to, and owes no word on any lease: what brought it there was forgotten
 * with a restore, or was its own guard. To let it go on would take a rollback one build too far.
 */
export function isThere(
  { to }: Pick<JobRecord, "to">,
  lease: LeaseRecord,
  report: Report,
  state: UpdateReport["state"],
): boolean {
  const { nodeId, build, journal, finalWords } = report;
  if (to === null || !sameBuild(to, build)) return false;
  const owes = holderOf(lease, nodeId) !== undefined || mayBeDown(lease, nodeId) || finalWords.length > 0;
  return !owes && journal.kind === "idle" && AT_REST.includes(state);
}
