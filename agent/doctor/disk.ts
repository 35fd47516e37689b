import type { Finding } from "../../protocol/finding.ts";
import { findingsOf } from "./finding.ts";
import { bytesText } from "./words.ts";

export type DiskFacts =
  | { readonly kind: "missing"; readonly path: string }
  | {
      readonly kind: "found";
      readonly path: string;
      readonly freeBytes: number;
      readonly freeInodes: number;
      /** File systems without inodes of a fixed number say 0. */
      readonly totalInodes: number;
      readonly readOnly: boolean;
      /** The release that `dist` names; null when there is none. */
      readonly release: { readonly bytes: number; readonly files: number } | null;
    };

/** Where no release is there to be measured. */
const USUAL = { bytes: 100e6, files: 500 };
/** A download, its unpacked tree, and what is there already stays: twice a release, and some more to live. */
const NEEDED = 2;
const COMFORTABLE = 4;

const { ok, warning, problem } = findingsOf("disk");

/** Space and inodes of the state directory, against the size of a release. */
export function judgeDisk(facts: DiskFacts): Finding[] {
  if (facts.kind === "missing") {
    return [
      problem(
        "state-missing",
        `The state directory ${facts.path} is not there.`,
        "Reinstall the package baton-agent, or look at state_dir in the settings.",
      ),
    ];
  }
  const { path, readOnly } = facts;
  const found = [...judgeSpace(facts), ...judgeInodes(facts)];
  if (!readOnly) return found;
  return [
    problem(
      "disk-read-only",
      `${path} is on a file system that may only be read: no agent starts there, and nothing can be updated.`,
      "An error of the disk often causes that: dmesg. Then mount it for writing again: mount -o remount,rw",
    ),
    ...found,
  ];
}

type Found = Extract<DiskFacts, { kind: "found" }>;

function judgeSpace({ path, freeBytes, release }: Found): Finding[] {
  const size = release?.bytes ?? USUAL.bytes;
  const message = `${path} has ${bytesText(freeBytes)} free; a release takes about ${bytesText(size)}.`;
  const hint = `Free some space on that file system. Old releases are removed by the agent itself; what else is there: du -xsh ${path}/*`;
  if (freeBytes < NEEDED * size) return [problem("disk-full", `${message} An update would fail.`, hint)];
  if (freeBytes < COMFORTABLE * size) return [warning("disk-low", message, hint)];
  return [ok("disk-space", message)];
}

function judgeInodes({ path, freeInodes, totalInodes, release }: Found): Finding[] {
  if (totalInodes === 0) return [];
  const files = Math.max(release?.files ?? USUAL.files, USUAL.files);
  const message = `${path} has ${freeInodes} inodes free; a release takes about ${release?.files ?? USUAL.files}.`;
  const hint = `Something on that file system makes very many small files: du --inodes -x ${path} | sort -n | tail`;
  if (freeInodes < NEEDED * files) return [problem("inodes-short", `${message} An update would fail.`, hint)];
  if (freeInodes < COMFORTABLE * files) return [warning("inodes-low", message, hint)];
  return [ok("disk-inodes", message)];
}
