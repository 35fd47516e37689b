/** How many points there are and what they are, in a file, so that none is lost without anybody noticing. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Explored } from "./explore.ts";

const DIR = join(import.meta.dirname, "../testdata/crash-points");

export type Account = ReadonlyMap<string, Explored>;

/** `240 a good update`, and every kind of point with how often a story comes by it; `-` where only recoveries do. */
export function showAccount(account: Account): string {
  const sites = new Map<string, number>();
  for (const explored of account.values()) {
    for (const [site, times] of explored.sites) sites.set(site, (sites.get(site) ?? 0) + times);
  }
  const line = ([what, times]: readonly [string, number]) => `${String(times || "-").padStart(5)} ${what}`;
  const stories = [...account].map(([name, { points }]) => line([name, points]));
  const sorted = [...sites].sort(([a], [b]) => (a < b ? -1 : 1)).map(line);
  return `points\n${stories.join("\n")}\n\nwhat they are\n${sorted.join("\n")}\n`;
}

/** What is written down; `REWRITE=1` writes down `now` first. Read the difference before you keep it. */
export function accountWritten(name: string, now: string): string {
  const path = join(DIR, `${name}.txt`);
  if (process.env.REWRITE === "1") writeFileSync(path, now);
  return readFileSync(path, "utf8");
}

/** One line for whoever looks on. */
export function sumUp(account: Account): string {
  const sum = (of: (explored: Explored) => number) =>
    [...account.values()].reduce((total, explored) => total + of(explored), 0);
  const [points, more] = [sum(({ points }) => points), sum(({ recoveryPoints }) => recoveryPoints)];
  const starts = sum(({ starts }) => starts);
  return `${points} crash points and ${more} of recoveries; ${starts} different remains, every one recovered from`;
}
