import type { UpdateReport } from "../../protocol/frames.ts";

/** What an agent with nothing to do says of its update. */
export const IDLE_UPDATE: UpdateReport = {
  state: "idle",
  jobId: null,
  build: null,
  step: null,
  percent: 0,
  bytesPerSecond: null,
  reason: null,
  failed: false,
};
