/** What an agent is made of that is not its own: how builds are prepared here, and what works beside it. */
import type { WorkloadControl } from "../../agent/core/ports.ts";
import type { Disk } from "../../agent/effects/disk.ts";
import { downloadBundle, removeDownload } from "../../agent/effects/download.ts";
import { layoutOf } from "../../agent/effects/layout.ts";
import { createPreparer } from "../../agent/effects/prepare.ts";
import { refreshTrust } from "../../agent/effects/trust/refresh.ts";
import { resolveBundle } from "../../agent/effects/trust/releases.ts";
import type { Agent } from "../../agent/runner.ts";
import { err, ok } from "../../protocol/result.ts";
import type { Clock } from "../../protocol/time.ts";
import { ManualScheduler } from "../agent/manual-scheduler.ts";
import { METADATA_URL, NOW } from "../trust/simulator.ts";
import { BUNDLES_ORIGIN, type Fixture, PLATFORM } from "./fixture.ts";
import type { Behaviour } from "./story.ts";
import { textAt } from "./tree.ts";
import type { Unsynced } from "./unsynced.ts";

export type PreparerParts = {
  readonly fixture: Fixture;
  readonly disk: Disk;
  readonly dir: string;
  readonly clock: Clock;
  /** Version of what runs. */
  readonly running: string;
};

/** As `agent/preparer.ts` puts it together, less the processes that it starts. */
export function preparerOf({ fixture, disk, dir, clock, running }: PreparerParts) {
  const { publisher, pinnedRoot, dispatcher } = fixture;
  const layout = layoutOf(dir);
  return createPreparer({
    disk,
    layout,
    host: { platform: PLATFORM, nodeVersion: process.versions.node, protocol: 1 },
    running: running,
    resolve: async (desired) => {
      const trusted = await refreshTrust({
        disk,
        stateDir: layout.state,
        pinnedRoot,
        metadataUrl: METADATA_URL,
        fetch: publisher.fetch,
        now: () => NOW,
        builtAt: 0,
        timeoutMs: 5_000,
      });
      if (!trusted.ok) return trusted;
      if (desired.build === null) return err({ code: "no-build", message: "No build was named." });
      return resolveBundle(trusted.value.bundles, desired.build, PLATFORM);
    },
    download: ({ sha256, bytes }, { signal }) =>
      downloadBundle({
        disk,
        dir: layout.download,
        url: `${BUNDLES_ORIGIN}/${sha256}`,
        sha256,
        bytes,
        dispatcher,
        timeoutMs: 5_000,
        uptime: () => clock.uptime(),
        wait: async () => undefined,
        signal,
      }),
    removeDownload: ({ sha256 }) => removeDownload(disk, layout.download, sha256),
    selfTest: async () => ok(undefined),
    random: () => 0,
    wait: async () => undefined,
  });
}

/** A workload that is as healthy as its build. */
export function workloadOf({ healthy }: Behaviour): WorkloadControl {
  return {
    canHandOver: false,
    drainMs: 1_000,
    health: async () => ({ healthy: healthy !== false }),
    handover: async () => ok(undefined),
    drain: async () => ok(undefined),
    resume: async () => ok(undefined),
    start: async () => ok(undefined),
    stop: async () => undefined,
  };
}

/** Whether it has started: an agent whose disk fails it exits, and is started again by systemd. */
export async function startOf(agent: Agent): Promise<boolean> {
  try {
    return (await agent.start()).ok;
  } catch (cause) {
    if (cause instanceof Error && "syscall" in cause) return false;
    throw cause;
  }
}

/** The name of a boot that is not the one in which the trial on this disk was made. */
export const rebooted = (disk: Unsynced): string =>
  textAt(disk.tree, "state/trial/boot-id")?.trim() === "boot-2" ? "boot-1" : "boot-2";

const STARTED_AT = 1_000_000;

/** A clock that shows so much since the boot. */
export function clockAt(uptime: number): ManualScheduler {
  const clock = new ManualScheduler();
  if (uptime > STARTED_AT) clock.turn(uptime - STARTED_AT);
  return clock;
}
