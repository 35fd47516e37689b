import { AcknowledgeRequest, Alert, AlertList, AlertQuery } from "../../../protocol/alert.ts";
import { PAGE_SIZE } from "../../../protocol/paging.ts";
import { ok } from "../../../protocol/result.ts";
import { Type } from "../../../protocol/schema.ts";
import type { Coordinator } from "../../service/coordinator.ts";
import { cursorOf, numberOf } from "../cursors.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";

const params = Type.Object({ alertId: Type.String({ pattern: "^[1-9][0-9]{0,14}$" }) });

export const alertRoutes = ({ alerts }: Pick<Coordinator, "alerts">): readonly Endpoint[] => [
  endpoint({
    route: "GET /v1/alerts",
    id: "listAlerts",
    summary: "What a person should know of, newest first, resolved ones too unless told otherwise",
    callers: "operator",
    query: AlertQuery,
    answer: AlertList,
    handle: async ({ query: { state = "all", kind, cursor, limit = PAGE_SIZE.usual } }) => {
      const before = numberOf(cursor);
      if (!before.ok) return before;
      // One more than asked for says whether there is another page.
      const found = await alerts.list({ state, kind, before: before.value, limit: limit + 1 });
      const page = found.slice(0, limit);
      const last = found.length > page.length ? page.at(-1) : undefined;
      return ok({ alerts: page, next: cursorOf(last?.id ?? null) });
    },
  }),
  endpoint({
    route: "POST /v1/alerts/:alertId/ack",
    id: "acknowledgeAlert",
    summary: "Say that somebody has taken an alert on; it resolves by itself all the same",
    callers: "operator",
    params,
    body: AcknowledgeRequest,
    answer: Alert,
    handle: ({ by, params, body }) => alerts.acknowledge(by, Number(params.alertId), body),
  }),
];
