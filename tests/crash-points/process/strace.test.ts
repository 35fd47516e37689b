import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { type Fixture, makeFixture } from "../fixture.ts";
import { storyOf } from "../story.ts";
import { whatIsLost } from "./lossy.ts";
import { readSyscalls, type Syscall } from "./syscalls.ts";
import { trace } from "./trace.ts";

const path = (process.env.PATH ?? "").split(delimiter);
const hasStrace = path.some((dir) => existsSync(join(dir, "strace")));

/**
 * strace is a program of the machine, not of npm. Where it is not installed, a trace that was written down is all that
 * is read, and the names of the tests say so; `.ci/run` installs it.
 */
describe.each(hasStrace ? ["strace"] : [])("by the word of %s", () => {
  let fixture: Fixture;
  beforeAll(async () => {
    fixture = await makeFixture();
  });

  test("an update fsyncs whatever it publishes before it does", { timeout: 240_000 }, async () => {
    const { fsyncs, lost } = await trace(fixture, storyOf("a good update"));
    expect(lost).toEqual([]);
    expect(fsyncs).toBeGreaterThan(50);
  });

  test.each(["the journal is not fsynced", "state/ is not fsynced"])(
    "it is found when %s",
    { timeout: 240_000 },
    async (what) => {
      const { lost } = await trace(fixture, storyOf("a good update"), what);
      expect(lost).not.toEqual([]);
    },
  );
});

describe.each(hasStrace ? ["a trace"] : ["a trace (strace is not installed here)"])("%s", () => {
  const TRACE = `7 openat(AT_FDCWD</>, "/n/state/.j.tmp", O_WRONLY|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC, 0644) = 21</n/state/.j.tmp>
7 write(21</n/state/.j.tmp>, ""..., 12) = 12
8 write(1<pipe:[5]>, ""..., 3) = 3
7 fsync(21</n/state/.j.tmp> <unfinished ...>
8 mkdir("/n/state", 0755) = -1 EEXIST (File exists)
7 <... fsync resumed>) = 0
9 rename("/n/state/.j.tmp", "/n/state/j") = 0
9 fsync(22</n/state>) = 0
`;
  const calls = readSyscalls(TRACE, "/n");
  const without = (kind: Syscall["kind"], of: string) =>
    calls.filter((call) => call.kind !== kind || call.path !== of);

  test("is read in the order in which its calls ended, without what failed or was elsewhere", () => {
    expect(calls.map(({ kind, path }) => `${kind} ${path}`)).toEqual([
      "create state/.j.tmp",
      "write state/.j.tmp",
      "fsync state/.j.tmp",
      "rename state/j",
      "fsync state",
    ]);
  });

  test("says what a power cut would lose", () => {
    expect(whatIsLost(calls)).toEqual([]);
    expect(whatIsLost(without("fsync", "state/.j.tmp"))).toEqual([
      "state/.j.tmp was not fsynced when state/j got its name",
      "state/j was pending in the end",
    ]);
    expect(whatIsLost(without("fsync", "state"))).toEqual(["state was pending in the end"]);
  });
});
