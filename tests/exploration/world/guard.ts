/**
 * A twin of `packaging/guard/agent-guard`: what it decides, and in which order it changes what. Where a command of
 * it is one system call, it is one step here; a guard that is killed leaves what the steps before have done.
 * `guard-twin.test.ts` holds it against the real one.
 */
import type { StateDir, Trial } from "./world.ts";

/** What the state directory looks like after each command of `agent-guard start`; none where it does nothing. */
export function guardStart(dir: StateDir): readonly StateDir[] {
  const { trial } = dir;
  if (trial === null || dir.dist.link !== trial.swap.to.link) return [];
  const steps: StateDir[] = [];
  let now = { ...dir, trial };
  const change = (part: Partial<Trial>, rest: Partial<StateDir> = {}) => {
    now = { ...now, ...rest, trial: { ...now.trial, ...part } };
    steps.push(now);
  };
  const goBack = () => {
    const wasCondemned = isCondemned(now, trial);
    const { entry, verdict, swap } = trial;
    // What is in place already stays: the agent, or a guard that was killed, had begun.
    if (!wasCondemned && entry !== null) {
      change({ entry: null }, { quarantine: [...now.quarantine, { ...entry, at: 0 }] });
    }
    if (verdict !== null && !(wasCondemned && now.verdict !== null)) change({ verdict: null }, { verdict });
    change({ hasBack: false }, { dist: swap.from });
  };
  if (trial.ready) change({ ready: false });
  if (isCondemned(dir, trial)) {
    goBack();
  } else if (trial.stopRequested && trial.refunds > 0) {
    change({ refunds: trial.refunds - 1 });
    change({ stopRequested: false });
  } else {
    if (trial.stopRequested) change({ stopRequested: false });
    if (trial.tries > 0) change({ tries: trial.tries - 1 });
    else goBack();
  }
  return steps;
}

/** `agent-guard stop`, when systemd stops a process that lives: a start after it costs no try, if it was ready. */
export function guardStop(dir: StateDir): StateDir {
  const { trial } = dir;
  if (trial === null || !trial.ready) return dir;
  return { ...dir, trial: { ...trial, ready: false, stopRequested: true } };
}

/**
 * `agent-guard deadline`, when the process that runs has lasted longer than its probation and a margin: null when
 * it does not act, or else the state directory just before it kills the process.
 */
export function guardDeadline(dir: StateDir, runs: string): StateDir | null {
  const { trial } = dir;
  if (trial === null || dir.dist.link !== trial.swap.to.link) return null;
  if (trial.stopRequested || trial.unhurried || runs !== trial.swap.to.link) return null;
  return { ...dir, trial: { ...trial, tries: 0 } };
}

const isCondemned = (dir: StateDir, { swap }: Trial): boolean =>
  dir.quarantine.some(({ build }) => build.buildHash === swap.to.build.buildHash);
