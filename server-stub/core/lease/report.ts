import type { Build } from "../../../protocol/build.ts";
import type { FinalWord, JournalReport } from "../../../protocol/journal.ts";
import type { InstanceId, NodeId } from "../../../protocol/names.ts";

/** What a node says of itself, in its newest session and after that session was echoed. Nothing else is a proof. */
export type Report = {
  readonly nodeId: NodeId;
  readonly instanceId: InstanceId;
  /** What the process runs. */
  readonly build: Build;
  readonly journal: JournalReport;
  readonly finalWords: readonly FinalWord[];
};
