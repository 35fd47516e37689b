import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Fixture } from "../fixture.ts";
import type { Story } from "../story.ts";
import { whatIsLost } from "./lossy.ts";
import { NodeProcess } from "./run.ts";
import { readSyscalls, straceInto } from "./syscalls.ts";

export type Traced = { readonly syscalls: number; readonly fsyncs: number; readonly lost: readonly string[] };

/** Lives a story under strace, with a mutation or none, and looks at the order of what reached the kernel. */
export async function trace(fixture: Fixture, story: Story, spoiled: string | null = null): Promise<Traced> {
  using node = new NodeProcess(fixture, story);
  const file = join(node.path, "trace");
  const ended = await node.live({ spoiled }, straceInto(file));
  if (ended?.wrong) throw new Error(ended.wrong);
  const calls = readSyscalls(readFileSync(file, "utf8"), node.dir);
  const fsyncs = calls.filter(({ kind }) => kind === "fsync").length;
  return { syscalls: calls.length, fsyncs, lost: whatIsLost(calls) };
}
