/** Mistakes that somebody might make in the agent or in the guard, each with the story that must find it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  removedBeforeReplaced,
  renamedAfter,
  renamedBeforeWritten,
  type Spoil,
  temporariesStay,
  unsealedLast,
  withoutSync,
} from "./spoiled-disk.ts";

export const GUARD_TEXT = readFileSync(
  join(import.meta.dirname, "../../packaging/guard/agent-guard"),
  "utf8",
);

export type Mutation = {
  readonly what: string;
  readonly story: string;
  readonly disk?: Spoil;
  readonly guard?: (text: string) => string;
};

const GOOD = "a good update";
const ILL = "a new build that is never healthy";
const CRASHING = "a new build that crashes at every start";
const CUTTING = "a new build that takes the machine down at every start";

/** A replacement that must find what it replaces, or the mutation is none. */
const instead =
  (what: string, by: string) =>
  (text: string): string => {
    if (!text.includes(what)) throw new Error(`the guard does not say ${what}`);
    return text.replace(what, () => by);
  };

export const MUTATIONS: readonly Mutation[] = [
  { what: "the journal is not fsynced", story: GOOD, disk: withoutSync(/^state\/\.journal\.json\.tmp$/) },
  {
    what: "a file of a release is not fsynced",
    story: GOOD,
    disk: withoutSync(/^releases\/.*\/entry\.mjs$/),
  },
  { what: "version.json is not fsynced", story: GOOD, disk: withoutSync(/^releases\/.*\/version\.json$/) },
  { what: "a release's .complete is not fsynced", story: GOOD, disk: withoutSync(/complete\.tmp$/) },
  {
    what: "what counts in the trial is not fsynced",
    story: CUTTING,
    disk: withoutSync(/^state\/\.trial-new\/to$/),
  },
  {
    what: "the directories of a release are not fsynced",
    story: GOOD,
    disk: withoutSync(/^releases\/[^/]+(\/share.*)?$/),
  },
  { what: "releases/ is not fsynced", story: GOOD, disk: withoutSync(/^releases$/) },
  { what: "state/ is not fsynced", story: GOOD, disk: withoutSync(/^state$/) },
  { what: "the state directory is not fsynced after a flip", story: GOOD, disk: withoutSync(/^$/) },
  { what: "the trial's directory is not fsynced", story: CUTTING, disk: withoutSync(/^state\/\.trial-new$/) },
  {
    what: "the journal is renamed before it is written",
    story: GOOD,
    disk: renamedBeforeWritten("journal.json"),
  },
  {
    what: "a release's .complete is renamed before it is written",
    story: GOOD,
    disk: renamedBeforeWritten(".complete"),
  },
  {
    what: "the journal goes before the next one comes",
    story: GOOD,
    disk: removedBeforeReplaced("journal.json"),
  },
  { what: "dist goes before the next one comes", story: GOOD, disk: removedBeforeReplaced("dist") },
  { what: "dist.bak goes before the next one comes", story: GOOD, disk: removedBeforeReplaced("dist.bak") },
  { what: "trial/ comes after the flip", story: CRASHING, disk: renamedAfter("state/trial", "dist") },
  { what: "dist.bak is set after dist", story: GOOD, disk: renamedAfter("dist.bak", "dist") },
  { what: "a release is unsealed last", story: GOOD, disk: unsealedLast },
  { what: "what a write left that was cut off stays", story: ILL, disk: temporariesStay },
  {
    what: "the guard syncs nothing",
    story: CUTTING,
    guard: instead("sync_dirs() {", "sync_dirs() { return 0"),
  },
  {
    what: "the guard counts no try",
    story: CRASHING,
    guard: instead('rm -f -- "$1" && [ ! -e "$1" ] || return 1\n  sync_dirs "$trial/tries"', ":"),
  },
  {
    what: "the guard removes dist before it sets it",
    story: CRASHING,
    guard: instead('if mv -fT -- "$trial/back" dist', 'if rm -f -- dist && mv -fT -- "$trial/back" dist'),
  },
];
