import { AlertList } from "../../../protocol/alert.ts";
import { newestFirst, PageQuery, pageOf } from "../../../protocol/paging.ts";
import { ok } from "../../../protocol/result.ts";
import type { Coordinator } from "../../service/coordinator.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";

export const watchRoutes = ({ alerts }: Pick<Coordinator, "alerts">): readonly Endpoint[] => [
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
];
