import { Readable } from "node:stream";
import { AuditEntry, AuditList } from "../../../protocol/audit.ts";
import { PAGE_SIZE, pageQuery } from "../../../protocol/paging.ts";
import { ok } from "../../../protocol/result.ts";
import { Type } from "../../../protocol/schema.ts";
import type { Coordinator } from "../../service/coordinator.ts";
import { cursorOf, numberOf } from "../cursors.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";

type Audit = Coordinator["audit"];

/** How much of the log is held while it is exported. */
const EXPORT_PAGE = 1_000;

const filter = {
  actor: Type.Optional(Type.String({ minLength: 1, maxLength: 128, description: "Such as `operator anna`" })),
  action: Type.Optional(
    Type.String({
      pattern: "^[a-z][a-z.-]{0,63}$",
      description: "With what it begins: `lease.` for all about leases",
    }),
  ),
  subject: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
  since: Type.Optional(
    Type.Integer({ minimum: 0, description: "From this instant on, milliseconds since 1970" }),
  ),
  until: Type.Optional(
    Type.Integer({ minimum: 0, description: "Before this instant, milliseconds since 1970" }),
  ),
};

/** One JSON text a line; the value is the stream of them. */
const Lines = Type.Unsafe<Readable>({ ...AuditEntry, title: "AuditLine" });

export const auditRoutes = ({ audit }: { readonly audit: Audit }): readonly Endpoint[] => [
  endpoint({
    route: "GET /v1/audit",
    id: "listAudit",
    summary: "Every change that somebody made, newest first",
    callers: "operator",
    query: Type.Object({ ...pageQuery, ...filter }, { additionalProperties: false }),
    answer: AuditList,
    handle: async ({ query: { limit = PAGE_SIZE.usual, cursor, ...wanted } }) => {
      const before = numberOf(cursor);
      if (!before.ok) return before;
      // One more than asked for says whether there is another page.
      const found = await audit.list(limit + 1, { ...wanted, before: before.value });
      const entries = found.slice(0, limit);
      const last = found.length > entries.length ? entries.at(-1) : undefined;
      return ok({ entries, next: cursorOf(last?.id ?? null) });
    },
  }),
  endpoint({
    route: "GET /v1/audit/export",
    id: "exportAudit",
    summary: "The audit log as JSON lines, oldest first",
    callers: "operator",
    query: Type.Object(filter, { additionalProperties: false }),
    answer: Lines,
    type: "application/x-ndjson",
    handle: async ({ query }) => ok(Readable.from(auditLines(audit, query))),
  }),
];

/** The entries that fit, as lines of JSON, oldest first; read `page` at a time. */
export async function* auditLines(
  audit: Audit,
  wanted: Parameters<Audit["list"]>[1],
  page = EXPORT_PAGE,
): AsyncGenerator<string> {
  let after = 0;
  for (;;) {
    const entries = await audit.list(page, { ...wanted, after });
    if (entries.length > 0) yield entries.map((entry) => `${JSON.stringify(entry)}\n`).join("");
    const last = entries.at(-1);
    if (last === undefined || entries.length < page) return;
    after = last.id;
  }
}
