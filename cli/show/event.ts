import type { FleetEvent } from "../../protocol/event.ts";

/** Members of what an event is about that say most of it, in the order in which they are told. */
const TOLD = [
  "status",
  "presence",
  "membership",
  "phase",
  "step",
  "release",
  "desired",
  "message",
  "role",
] as const;

/** What an event says in a line: its subject, and the little of it that a person looks for. */
export function eventLine({ subject, value }: FleetEvent): string {
  if (value === null || typeof value !== "object") return value === null ? `${subject} is gone` : subject;
  const of = value as Readonly<Record<string, unknown>>;
  const named = typeof of.name === "string" && of.name !== subject ? `${of.name} (${subject})` : subject;
  const parts = TOLD.flatMap((member) => {
    const said = of[member];
    return typeof said === "string" && said !== "" ? [said] : [];
  });
  const holder = holderOf(of.holder);
  const reason = reasonOf(of.reason);
  return [named, [...parts, ...holder].join(", "), reason].filter((part) => part !== "").join(": ");
}

const holderOf = (holder: unknown): readonly string[] => {
  if (holder === undefined) return [];
  if (holder === null || typeof holder !== "object") return ["free"];
  const { nodeName, nodeId, phase } = holder as Readonly<Record<string, unknown>>;
  return [`${String(nodeName ?? nodeId)} ${String(phase)}`];
};

const reasonOf = (reason: unknown): string => {
  if (reason === null || typeof reason !== "object") return "";
  const { message } = reason as { message?: unknown };
  return typeof message === "string" ? message : "";
};
