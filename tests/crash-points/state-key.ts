/** When two states of a node are the same for all that may follow from them. */
import { createHash } from "node:crypto";
import { digest, type Entry, textAt } from "./tree.ts";
import type { NodeState } from "./watch.ts";

/**
 * What is left out: random names, the time of day, when a trial began by the clock (but not how long ago), and what
 * whole lines in the log of a job say, since that is read by people alone.
 */
export function stateKey({ disk, coordinator, bootId, uptime, stops }: Readonly<NodeState>): string {
  const { tree } = disk;
  const general = new Map<string, Entry>();
  for (const [path, entry] of tree)
    general.set(path, entry.kind === "file" ? generalised(path, entry) : entry);
  const since = textAt(tree, "state/trial/since");
  const isThisBoot = textAt(tree, "state/trial/boot-id")?.trim() === bootId;
  const age = since === null ? null : isThisBoot ? uptime - Number(since) : "another boot";
  const more = JSON.stringify([coordinator.digest, age, stops]);
  return createHash("sha1").update(digest(general)).update(more).digest("base64");
}

type File = Extract<Entry, { kind: "file" }>;

const known = new WeakMap<Buffer, File>();

function generalised(path: string, file: File): File {
  if (!CHANGING.test(path)) return file;
  let general = known.get(file.data);
  if (general === undefined) {
    const text = path.startsWith("state/jobs/") ? endOfLog(file.data) : withoutTimes(path, file.data);
    general = { ...file, data: Buffer.from(text) };
    known.set(file.data, general);
  }
  return general;
}

const CHANGING = /^state\/(jobs\/|\.?trial[^/]*\/(since|boot-id|quarantine)$|quarantine\/)/;

const withoutTimes = (path: string, data: Buffer): string =>
  /(since|boot-id)$/.test(path) ? `${data.length > 0}` : data.toString().replace(/"at":\d+/, '"at":0');

/** How a log ends decides whether it is mended. */
const endOfLog = (data: Buffer): string => {
  const text = data.toString();
  return text === "" || (text.endsWith("}\n") && !text.includes("\0")) ? "whole" : text;
};
