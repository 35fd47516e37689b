/** That the fuzzing would find something: each of these mistakes is made on purpose, and has to be found. */
import { mkdir } from "node:fs/promises";
import fc from "fast-check";
import { expect, test } from "vitest";
import { VersionJson } from "../../protocol/build.ts";
import { parse } from "../../protocol/parse.ts";
import { ok } from "../../protocol/result.ts";
import { openApiDocument } from "../../server-stub/api/document.ts";
import type { DoorAnswer } from "../server-stub/harness/door.ts";
import { httpTargets } from "./http/target.ts";
import type { World } from "./http/world.ts";
import { type Target, tryOut } from "./target.ts";
import { unpacking } from "./targets/archives.ts";
import { refused } from "./targets/texts.ts";

const found = (target: Target): Promise<string | null> => tryOut(target, { seed: 1, times: 1 });

test.each<[string, Parameters<typeof unpacking>[0], RegExp]>([
  [
    "takes whatever comes",
    async ({ into }) => {
      await mkdir(into);
      return ok(null);
    },
    /it was taken, with /,
  ],
  [
    "leaves what it had unpacked",
    async ({ into }) => {
      await mkdir(into);
      return { ok: false, error: { code: "bundle-kind", message: "No." } };
    },
    /there is archive,canary,outside,releases/,
  ],
  [
    "refuses in words of the archive",
    async () => ({ ok: false, error: { code: "bundle-kind", message: "No \u001b[2J." } }),
    /it has the character 27/,
  ],
])("an unpacker that %s", async (_, unpack, why) => {
  expect(await found(unpacking(unpack)[0])).toMatch(why);
});

test.each<[string, (text: string) => ReturnType<typeof parse>, RegExp]>([
  ["throws", (text) => parse(VersionJson, JSON.parse(text), "It"), /SyntaxError/],
  [
    "repeats what it was given",
    (text) => ({ ok: false, error: { code: "malformed", message: `${text} is wrong.` } }),
    /it has /,
  ],
])("a reader that %s", async (_, read, why) => {
  expect(await found(refused("version.json", VersionJson, read))).toMatch(why);
});

test("a reader that makes room for as much as a stranger says", async () => {
  const held: Buffer[] = [];
  const property = fc.property(fc.constant(96), (mib) => {
    held.push(Buffer.alloc(mib * 1024 ** 2, 1));
  });
  const target = { name: "a reader", runs: 1, property };
  const campaign = { seed: 1, times: 1, maxGrowthBytes: 64 * 1024 ** 2 };
  expect(await tryOut(target, campaign)).toMatch(/^a reader: \d+ MiB more are held after 1 tries/);
  expect(held).toHaveLength(1);
});

test.each<[string, Partial<DoorAnswer>, RegExp]>([
  ["breaks", { status: 500 }, /a fault of the server/],
  ["lets everybody in", { status: 200 }, /was let in/],
  ["keeps everybody out", { status: 401, code: "unauthorized" } as object, /was kept out/],
  [
    "tells where it lies",
    { status: 404, detail: "ENOENT /tmp/baton-repository-x/keys" } as object,
    /it tells a path/,
  ],
  ["tells a stack", { status: 404, detail: "Error\n    at x (server.ts:3:1)" } as object, /it tells /],
])("a server that %s", async (_, { status = 404, ...more }, why) => {
  const code = "code" in more ? String(more.code) : "not-found";
  const body = { type: `urn:baton:problem:${code}`, code, status, detail: "No.", ...more };
  const answer: DoorAnswer = {
    status,
    body,
    text: JSON.stringify(body),
    headers: { "content-type": "application/problem+json" },
  };
  const world: Pick<World, "named" | "call"> = {
    named: { nodeId: fc.constant("x") },
    call: async () => answer,
  };
  const targets = httpTargets(await openApiDocument("1.2.3"), () => world);
  const target = targets.find(({ name }) => name.startsWith("removeNode "));
  if (target === undefined) throw new Error("no such operation");
  expect(await found(target)).toMatch(why);
});
