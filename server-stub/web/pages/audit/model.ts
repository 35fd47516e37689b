/** What is asked of the audit log and what its entries say: pure. */
import type { AuditEntry } from "../../../../protocol/audit.ts";

/** The API's query for what the address says; what it says wrongly is as if it were not said. */
export function auditQuery(query: URLSearchParams): URLSearchParams {
  const wanted = new URLSearchParams();
  const actor = query.get("actor")?.trim() ?? "";
  if (actor !== "" && actor.length <= 128) wanted.set("actor", actor);
  const action = query.get("action")?.trim() ?? "";
  if (/^[a-z][a-z.-]{0,63}$/.test(action)) wanted.set("action", action);
  const subject = query.get("subject")?.trim() ?? "";
  if (subject !== "" && subject.length <= 256) wanted.set("subject", subject);
  for (const name of ["since", "until"]) {
    const at = Date.parse(query.get(name) ?? "");
    if (at >= 0) wanted.set(name, String(at));
  }
  return wanted;
}

/** The instant as a field of the page has it, in the reader's own time; "" for none. */
export function toField(text: string | null): string {
  const at = Date.parse(text ?? "");
  if (Number.isNaN(at)) return "";
  const there = new Date(at - new Date(at).getTimezoneOffset() * 60_000);
  return there.toISOString().slice(0, 16);
}

/** What the field says, so that it means the same to a reader in another time zone; null for none. */
export function fromField(text: string): string | null {
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : `${new Date(at).toISOString().slice(0, 16)}Z`;
}

export type Difference = {
  readonly name: string;
  readonly before: string | null;
  readonly after: string | null;
};

/** What the change made otherwise; all that is known of it where there is nothing to compare with. */
export function differences({ before, after }: Pick<AuditEntry, "before" | "after">): readonly Difference[] {
  const [was, is] = [fieldsOf(before), fieldsOf(after)];
  const names = [...new Set([...Object.keys(was), ...Object.keys(is)])];
  return names
    .map((name) => ({ name, before: textOf(was[name]), after: textOf(is[name]) }))
    .filter((each) => each.before !== each.after);
}

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : value == null
      ? {}
      : { value };

const textOf = (value: unknown): string | null =>
  value === undefined ? null : typeof value === "string" ? value : JSON.stringify(value);

/** The page of what it was done to; null when that has none. */
export function pageOfSubject({ action, subject }: Pick<AuditEntry, "action" | "subject">): string | null {
  const id = /^([njr])-[0-9a-z]{12}$/.exec(subject);
  if (id !== null) return `/${PAGES[id[1] as keyof typeof PAGES]}/${subject}`;
  return /^(group|lease)\./.test(action) ? `/groups/${encodeURIComponent(subject)}` : null;
}

const PAGES = { n: "nodes", j: "jobs", r: "rollouts" } as const;
