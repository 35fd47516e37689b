/** What the agents' own diaries say of a coordinator: who was down when, under which token. Pure. */
import type { Entry } from "../light-agents/diary.ts";

export type Down = {
  readonly group: string;
  readonly name: string;
  readonly token: number;
  readonly fromMs: number;
  /** Until it had confirmed; never, if it has not. */
  readonly toMs: number;
};

/** From when a node acted until it had confirmed its new build, which is longer than it was away. */
export function downs(entries: readonly Entry[]): readonly Down[] {
  const open = new Map<string, Omit<Down, "toMs">>();
  const found: Down[] = [];
  for (const { what, group, name, token, atMs } of entries) {
    const key = `${name} ${token}`;
    if (what === "acts" && !open.has(key)) open.set(key, { group, name, token, fromMs: atMs });
    const begun = open.get(key);
    if (what !== "confirmed" || begun === undefined) continue;
    found.push({ ...begun, toMs: atMs });
    open.delete(key);
  }
  for (const begun of open.values()) found.push({ ...begun, toMs: Number.POSITIVE_INFINITY });
  return found.sort((a, b) => a.fromMs - b.fromMs);
}

/** Two of a group that were down at the same time. */
export function together(entries: readonly Entry[]): readonly string[] {
  const found: string[] = [];
  for (const [group, all] of Map.groupBy(downs(entries), (down) => down.group)) {
    let longest: Down | null = null;
    for (const down of all) {
      if (longest !== null && down.fromMs < longest.toMs) {
        found.push(
          `${down.name} went down under token ${down.token} while ${longest.name} of ${group} was down under ${longest.token}`,
        );
      }
      if (longest === null || down.toMs > longest.toMs) longest = down;
    }
  }
  return found;
}

/** Tokens that two nodes were given, that were acted upon twice, or that fell within a group. */
export function wrongTokens(entries: readonly Entry[]): readonly string[] {
  const found: string[] = [];
  for (const [group, all] of Map.groupBy(entries, (entry) => entry.group)) {
    const owners = new Map<number, string>();
    const acted = new Set<number>();
    let highest = 0;
    for (const { what, token, name } of all) {
      const owner = owners.get(token);
      if (what === "granted" && owner === undefined) {
        if (token < highest) found.push(`${name} of ${group} was given ${token} after ${highest}`);
        owners.set(token, name);
        highest = Math.max(highest, token);
      }
      if (owner !== undefined && owner !== name)
        found.push(`token ${token} of ${group} was ${owner}'s and ${name}'s`);
      if (what !== "acts") continue;
      if (acted.has(token)) found.push(`${name} of ${group} acted twice under token ${token}`);
      acted.add(token);
    }
  }
  return found;
}

/** The longest time without a grant, in any group, between two instants; milliseconds. */
export function longestWithoutGrant(entries: readonly Entry[], fromMs: number, toMs: number): number {
  const grants = entries
    .filter(({ what, atMs }) => what === "granted" && atMs <= toMs)
    .map(({ atMs }) => atMs);
  const before = grants.findLast((at) => at < fromMs) ?? fromMs;
  const points = [before, ...grants.filter((at) => at >= fromMs)];
  return points.slice(1).reduce((longest, at, index) => Math.max(longest, at - (points[index] ?? at)), 0);
}
