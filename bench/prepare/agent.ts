/**
 * A process that prepares one build, once, as an agent does in its life: what only preparing needs is loaded by it.
 * It says `ready`, and answers `go` with the milliseconds that it took until the build was to test itself, or with what
 * went wrong.
 */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { realDisk } from "../../agent/effects/disk.ts";
import { layoutOf } from "../../agent/effects/layout.ts";
import { createLog } from "../../agent/effects/log.ts";
import { makeLayout } from "../../agent/effects/recover.ts";
import { findRunning } from "../../agent/running.ts";
import { createAddresses } from "../../agent/session/addresses.ts";
import { createNetwork } from "../../agent/session/network.ts";
import type { Build } from "../../protocol/build.ts";

export type Task = {
  readonly stateDir: string;
  readonly url: string;
  /** The root that a node got when it joined. */
  readonly rootFile: string;
  readonly build: Build;
};

export type Answer = { readonly tookMs: number } | { readonly fault: string };

const task = JSON.parse(process.argv[2] ?? "") as Task;
const layout = layoutOf(task.stateDir);
await makeLayout(realDisk, layout);
const pinnedRoot = await readFile(task.rootFile);

process.send?.("ready");
await once(process, "message");
const began = performance.now();
const { createNodePreparer } = await import("../../agent/preparer.ts");
const preparer = createNodePreparer({
  disk: realDisk,
  layout,
  running: findRunning(undefined),
  pinnedRoot,
  addresses: createAddresses([task.url]),
  network: createNetwork({ caFile: null }),
  downloadTimeoutMs: 60_000,
  selfTestTimeoutMs: 30_000,
  env: { ...process.env, BATON_NODE: process.execPath },
  log: createLog("warn"),
});
let placedMs: number | null = null;
const prepared = await preparer.prepare(
  {
    jobId: "j_bench",
    kind: "update",
    cause: "rollout",
    release: task.build.version,
    build: task.build,
    retry: false,
    jitterMs: 0,
  },
  {
    signal: new AbortController().signal,
    // From here on it lies complete under `releases/`, and what is left is its own self-test.
    progress: ({ step, percent }) => {
      if (step === "prepare" && percent >= 60) placedMs ??= performance.now() - began;
    },
    line: () => undefined,
  },
);
const answer: Answer = !prepared.ok
  ? { fault: prepared.error.message }
  : placedMs === null
    ? { fault: "it was prepared without ever being placed" }
    : { tookMs: placedMs };
process.send?.(answer);
process.disconnect?.();
