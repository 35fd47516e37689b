import { inspect } from "node:util";
import { Lab, type Site } from "./lab/lab.ts";

/** One story that is played on real systemd, from an empty lab to an empty lab. */
export type Scenario = {
  readonly name: string;
  readonly timeoutMs: number;
  readonly play: (lab: Lab, say: Say) => Promise<void>;
};

/** Prints a line below the scenario's own: a measured time, something worth knowing. */
export type Say = (line: string) => void;

export type Outcome = { readonly name: string; readonly seconds: number; readonly fault?: unknown };

export const scenario = (
  name: string,
  play: Scenario["play"],
  options: { readonly timeoutMs?: number } = {},
): Scenario => ({ name, play, timeoutMs: options.timeoutMs ?? 120_000 });

export type RunOptions = {
  readonly site: Site;
  readonly print: (line: string) => void;
  /** Ends the scenario under way and all that follow. */
  readonly signal: AbortSignal;
  /** Called before the lab of a scenario is closed that failed or is the last. */
  readonly beforeClose?: (lab: Lab) => Promise<void>;
};

/** Plays the scenarios one after another. A failed one does not stop the rest. */
export async function runScenarios(
  scenarios: readonly Scenario[],
  options: RunOptions,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const [index, one] of scenarios.entries()) {
    if (options.signal.aborted) break;
    const isLast = index === scenarios.length - 1;
    outcomes.push(await playOne(one, `s${index + 1}`, isLast, options));
  }
  return outcomes;
}

async function playOne(one: Scenario, id: string, isLast: boolean, options: RunOptions): Promise<Outcome> {
  const lab = new Lab(options.site, id);
  const said: string[] = [];
  const started = performance.now();
  const details: string[] = [];
  let fault = await faultOf(() =>
    limited(
      one,
      one.play(lab, (line) => said.push(line)),
      options.signal,
    ),
  );
  const seconds = (performance.now() - started) / 1000;
  if (fault !== undefined) details.push(showFault(fault), await faultText(() => showNodes(lab)));
  if (options.beforeClose !== undefined && (isLast || fault !== undefined)) await options.beforeClose(lab);
  const unclean = await faultOf(() => lab.close());
  if (unclean !== undefined) details.push(showFault(unclean));
  fault ??= unclean;
  options.print(
    `${fault === undefined ? "ok    " : "FAILED"} ${seconds.toFixed(1).padStart(6)} s  ${one.name}`,
  );
  for (const line of said) options.print(`                  ${line}`);
  for (const text of details) options.print(text.replaceAll(/^/gm, "    "));
  return { name: one.name, seconds, ...(fault === undefined ? {} : { fault }) };
}

/** The scenario, or the end of its time, or an interrupt, whichever comes first. */
async function limited(one: Scenario, played: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`took longer than ${one.timeoutMs / 1000} s`)),
    one.timeoutMs,
  );
  const interrupted = () => reject(new Error("interrupted"));
  signal.addEventListener("abort", interrupted, { once: true });
  try {
    await Promise.race([played, promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", interrupted);
  }
}

async function faultOf(work: () => Promise<void>): Promise<unknown> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return error ?? new Error("rejected with nothing");
  }
}

async function faultText(work: () => Promise<string>): Promise<string> {
  try {
    return await work();
  } catch (error) {
    return showFault(error);
  }
}

export const showFault = (fault: unknown): string =>
  fault instanceof Error
    ? [
        fault.stack ?? fault.message,
        ...(fault.cause === undefined ? [] : [`because: ${inspect(fault.cause)}`]),
      ].join("\n")
    : inspect(fault);

/** What each node said last, for the reader of a failure. */
async function showNodes(lab: Lab): Promise<string> {
  const parts = lab.nodes.map(async (node) => {
    const title = `--- ${node.name} (${node.running ? "running" : "down"}), the end of its journal`;
    const lines = (await node.journalText({ lines: 400 }))
      .split("\n")
      .filter((line) => !BOOT_NOISE.test(line));
    return [title, ...lines.slice(-40)].join("\n");
  });
  return (await Promise.all(parts)).join("\n");
}

/** What every healthy boot prints. */
const BOOT_NOISE =
  /systemd-journald\[|dbus|systemd-(journal-flush|sysusers|tmpfiles)|lab-(booted|network)|Reached target|Listening on|tainted|Startup finished/;
