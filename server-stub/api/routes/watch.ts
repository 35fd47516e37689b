import { AlertList } from "../../../protocol/alert.ts";
import { AuditList } from "../../../protocol/audit.ts";
import { newestFirst, PageQuery, pageOf } from "../../../protocol/paging.ts";
import { ok } from "../../../protocol/result.ts";
import type { Coordinator } from "../../service/coordinator.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";

/** How far back the audit log is read for one answer. */
const AUDIT_DEPTH = 10_000;

export const watchRoutes = ({
  alerts,
  audit,
}: Pick<Coordinator, "alerts" | "audit">): readonly Endpoint[] => [
  endpoint({
    route: "GET /v1/alerts",
    id: "listAlerts",
    summary: "What a person should know of, newest first, resolved ones too",
    callers: "operator",
    query: PageQuery,
    answer: AlertList,
    handle: async ({ query }) => {
      const page = pageOf(await alerts.list(), ({ id }) => newestFirst(id, ""), query);
      return page.ok ? ok({ alerts: page.value.items, next: page.value.next }) : page;
    },
  }),
  endpoint({
    route: "GET /v1/audit",
    id: "listAudit",
    summary: "Every change that somebody made, newest first",
    callers: "operator",
    query: PageQuery,
    answer: AuditList,
    handle: async ({ query }) => {
      const page = pageOf(await audit.list(AUDIT_DEPTH), ({ id }) => newestFirst(id, ""), query);
      return page.ok ? ok({ entries: page.value.items, next: page.value.next }) : page;
    },
  }),
];
