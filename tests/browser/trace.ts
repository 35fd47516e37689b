import { availableParallelism, loadavg } from "node:os";
import type { Page } from "playwright-core";

/** How long the tasks of the page's main thread took of a processor, whoever else wanted it at the time. */
export type Traced<T> = { readonly value: T; readonly longestTaskMs: number };

type TraceEvent = {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds on the clock of the thread. */
  readonly tdur?: number;
  readonly args: { readonly name?: string };
};

/** Does `work` while Chromium writes down what its threads do. */
export async function traced<T>(page: Page, work: () => Promise<T>): Promise<Traced<T>> {
  const devtools = await page.context().newCDPSession(page);
  const events: TraceEvent[] = [];
  devtools.on("Tracing.dataCollected", ({ value }) => events.push(...(value as unknown as TraceEvent[])));
  const complete = new Promise((resolve) => devtools.once("Tracing.tracingComplete", resolve));
  await devtools.send("Tracing.start", {
    transferMode: "ReportEvents",
    traceConfig: { includedCategories: ["toplevel"] },
  });
  const value = await work();
  await devtools.send("Tracing.end");
  await complete;
  await devtools.detach();
  const main = new Set(
    events
      .filter(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain")
      .map(({ pid, tid }) => `${pid} ${tid}`),
  );
  const tasks = events.filter(
    ({ name, ph, pid, tid }) => name.endsWith("RunTask") && ph === "X" && main.has(`${pid} ${tid}`),
  );
  if (tasks.length === 0) throw new Error("the trace has no tasks of the page");
  return { value, longestTaskMs: Math.max(...tasks.map(({ tdur = 0 }) => tdur / 1000)) };
}

/** Others want the processors as well: then a clock on the wall says nothing of the page. Why; null when they do not. */
export function whyBusy(): string | null {
  const [load = 0] = loadavg();
  const processors = availableParallelism();
  if (load <= 1.5 * processors) return null;
  return `a load of ${load.toFixed(1)} on ${processors} processors is too much to judge by the clock`;
}
