import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import type { FleetOptions } from "../../examples/demo/fleet.ts";
import type { Verdict } from "../harness/suite.ts";
import { Stage } from "./stage.ts";

/** One story that is played in a real browser, from an empty fleet to an empty fleet. */
export type Scenario = {
  readonly name: string;
  readonly timeoutMs: number;
  readonly fleet: Partial<FleetOptions>;
  readonly play: (stage: Stage, say: (line: string) => void) => Promise<void>;
};

export const scenario = (
  name: string,
  play: Scenario["play"],
  { timeoutMs = 180_000, fleet = {} }: Partial<Pick<Scenario, "timeoutMs" | "fleet">> = {},
): Scenario => ({ name, play, timeoutMs, fleet });

/** Plays it, and prints how it went. Nothing of it is left running. */
export async function playOne(
  one: Scenario,
  browser: Browser,
  print: (line: string) => void,
): Promise<Verdict> {
  const stage = new Stage(browser, await mkdtemp(join(tmpdir(), "baton-web-")), one.fleet);
  const began = performance.now();
  const said: string[] = [];
  const faults: string[] = [];
  try {
    await limited(
      one,
      one.play(stage, (line) => said.push(line)),
    );
    faults.push(...stage.complaints);
  } catch (error) {
    faults.push(error instanceof Error ? (error.stack ?? error.message) : String(error), ...stage.complaints);
    faults.push(await stage.fleet.logs());
  }
  await stage.close().catch((error: unknown) => faults.push(`it could not be ended: ${String(error)}`));
  await rm(stage.fleet.dir, { recursive: true, force: true });
  const seconds = ((performance.now() - began) / 1000).toFixed(1).padStart(6);
  print(`${faults.length === 0 ? "ok    " : "FAILED"} ${seconds} s  ${one.name}`);
  for (const line of said) print(`                  ${line}`);
  for (const fault of faults) print(fault.replaceAll(/^/gm, "    "));
  return { name: one.name, fault: faults[0] ?? null };
}

async function limited(one: Scenario, played: Promise<void>): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`took longer than ${one.timeoutMs / 1000} s`)),
    one.timeoutMs,
  );
  try {
    await Promise.race([played, promise]);
  } finally {
    clearTimeout(timer);
  }
}
