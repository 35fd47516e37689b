/** Reads a job's log as it grows, until the job has ended and all of it is there. */
import { type ReadonlySignal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { LogLine } from "../../../../protocol/job.ts";
import { useStore } from "../../store/store.ts";
import { type JobLog, NOTHING, withLines } from "./parts.ts";

const PAGE = 1_000;
const EVERY_MS = 1_000;
const RETRY_MS = 5_000;

/** `ended`: whether the job has; what its end has written is read after that. */
export function useJobLog(id: string, ended: ReadonlySignal<boolean>): ReadonlySignal<JobLog> {
  const { client, onEvents } = useStore();
  const log = useSignal<JobLog>(NOTHING);
  useEffect(() => {
    let over = false;
    let next = 0;
    let due: ReturnType<typeof setTimeout> | undefined;
    let busy = false;
    const read = async (): Promise<void> => {
      if (busy) return;
      busy = true;
      // Before the lines: what is written before the end is in the lines that are read after it.
      const last = ended.peek();
      const answer = await client.get<{ lines: readonly LogLine[]; next: number }>(
        `/v1/jobs/${id}/log?from=${next}&limit=${PAGE}`,
      );
      busy = false;
      if (over) return;
      if (!answer.ok) {
        if (log.value.lines === 0) log.value = { ...NOTHING, problem: answer.error };
        if (answer.error.status === 0 || answer.error.status >= 500) soon(RETRY_MS);
        return;
      }
      const { lines } = answer.value;
      next = answer.value.next;
      if (lines.length > 0 || last)
        log.value = { ...withLines(log.value, lines), whole: last && lines.length < PAGE };
      if (lines.length === PAGE) soon(0);
      else if (!last) soon(document.visibilityState === "hidden" ? RETRY_MS : EVERY_MS);
    };
    const soon = (ms: number): void => {
      clearTimeout(due);
      due = setTimeout(() => void read(), ms);
    };
    log.value = NOTHING;
    void read();
    const again = (): void => {
      if (!busy && !log.peek().whole) soon(0);
    };
    const off = onEvents(["job"], (event) => {
      if (event === null || event.subject === id) again();
    });
    const unsubscribe = ended.subscribe(again);
    return () => {
      over = true;
      clearTimeout(due);
      off();
      unsubscribe();
    };
  }, [id]);
  return log;
}
