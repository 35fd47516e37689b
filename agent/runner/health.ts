import type { HealthReport } from "../../protocol/health.ts";
import type { DurationMs } from "../../protocol/time.ts";
import type { WorkloadControl } from "../core/ports.ts";
import type { Scheduler } from "../effects/scheduler.ts";

/**
 * Asks the workload how it is, at once and then every so often, one question at a time; tells only what differs
 * from the last answer. Returns what ends it.
 */
export function watchHealth(
  workload: Pick<WorkloadControl, "health">,
  scheduler: Scheduler,
  everyMs: DurationMs,
  tell: (report: HealthReport) => void,
): () => void {
  let over = false;
  let last = "";
  let cancel: () => void = () => undefined;

  const ask = async (): Promise<void> => {
    const report = await workload.health();
    if (over) return;
    const said = JSON.stringify([report.healthy, report.caughtUp, report.role, report.detail]);
    if (said !== last) tell(report);
    last = said;
    cancel = scheduler.after(everyMs, next);
  };
  const next = (): void => void ask();
  next();

  return () => {
    over = true;
    cancel();
  };
}
