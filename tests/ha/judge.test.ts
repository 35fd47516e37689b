import { expect, test } from "vitest";
import type { Entry } from "../light-agents/diary.ts";
import { downs, longestWithoutGrant, together, wrongTokens } from "./judge.ts";

const entry = (atMs: number, what: Entry["what"], name: string, token: number): Entry => ({
  atMs,
  what,
  name,
  token,
  group: "db",
});
const turn = (atMs: number, name: string, token: number): Entry[] => [
  entry(atMs, "granted", name, token),
  entry(atMs + 1, "acts", name, token),
  entry(atMs + 5, "serves", name, token),
  entry(atMs + 8, "confirmed", name, token),
];

test("one after the other is well", () => {
  const entries = [...turn(0, "a", 1), ...turn(10, "b", 2)];
  expect(downs(entries)).toMatchObject([
    { name: "a", fromMs: 1, toMs: 8 },
    { name: "b", fromMs: 11, toMs: 18 },
  ]);
  expect([...together(entries), ...wrongTokens(entries)]).toEqual([]);
});

test("who acts before the one before it has confirmed is found, also when that one never has", () => {
  const overlapping = [...turn(0, "a", 1), ...turn(5, "b", 2)].sort((x, y) => x.atMs - y.atMs);
  expect(together(overlapping)).toEqual(["b went down under token 2 while a of db was down under 1"]);
  const never = [...turn(0, "a", 1).slice(0, 3), ...turn(50, "b", 2)];
  expect(together(never)).toHaveLength(1);
});

test("a token is one node's, is acted upon once, and does not fall", () => {
  expect(wrongTokens([...turn(0, "a", 3), ...turn(10, "b", 3)])).toContain("token 3 of db was a's and b's");
  expect(wrongTokens([...turn(0, "a", 3), ...turn(10, "b", 2)])).toEqual(["b of db was given 2 after 3"]);
  expect(wrongTokens([...turn(0, "a", 3), ...turn(10, "a", 3)])).toEqual([
    "a of db acted twice under token 3",
  ]);
  expect(wrongTokens([entry(0, "granted", "a", 3), ...turn(5, "a", 3)])).toEqual([]);
});

test("the longest time without a grant begins with the last one before", () => {
  const entries = [...turn(0, "a", 1), ...turn(100, "b", 2), ...turn(130, "c", 3)];
  expect(longestWithoutGrant(entries, 50, 200)).toBe(100);
  expect(longestWithoutGrant(entries, 110, 200)).toBe(30);
  expect(longestWithoutGrant(entries, 140, 200)).toBe(0);
});
