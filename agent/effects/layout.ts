import { join } from "node:path";

/**
 * Where everything of an agent lies, below its state directory (`/var/lib/baton-agent`).
 * Source: docs/ARCHITECTURE.md, "On a node".
 */
export type Layout = {
  readonly root: string;
  /** Link to what runs. */
  readonly dist: string;
  /** Link to what ran before and is known good. */
  readonly backup: string;
  readonly releases: string;
  readonly download: string;
  readonly state: string;
  readonly journal: string;
  readonly quarantine: string;
  readonly verdict: string;
  readonly floor: string;
  readonly trial: string;
  /** Where a trial is made, and where one goes that is over. */
  readonly trialNew: string;
  readonly trialGone: string;
  /** A signed kit while it is taken in. */
  readonly kit: string;
  readonly jobs: string;
  readonly lock: string;
};

export function layoutOf(root: string): Layout {
  const state = join(root, "state");
  return {
    root,
    dist: join(root, "dist"),
    backup: join(root, "dist.bak"),
    releases: join(root, "releases"),
    download: join(root, "download"),
    state,
    journal: join(state, "journal.json"),
    quarantine: join(state, "quarantine"),
    verdict: join(state, "verdict"),
    floor: join(state, "floor.json"),
    trial: join(state, "trial"),
    trialNew: join(state, ".trial-new"),
    trialGone: join(state, ".trial-gone"),
    kit: join(state, ".kit.tar"),
    jobs: join(state, "jobs"),
    lock: join(state, "lock"),
  };
}

/** What a directory under `releases/` is called while it is unpacked. */
export const PREPARING_PREFIX = ".prepare-";
