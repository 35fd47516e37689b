import { OLDEST_PROTOCOL, PROTOCOL } from "../../../protocol/frames.ts";
import { err, ok } from "../../../protocol/result.ts";
import { Type } from "../../../protocol/schema.ts";
import { Alive, Readiness, ServiceVersion } from "../../../protocol/service.ts";
import type { Coordinator } from "../../service/coordinator.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";

/** What the coordinator says of itself, to anybody. */
export const serviceRoutes = (
  { readiness }: Pick<Coordinator, "readiness">,
  version: string,
  document: () => object,
): readonly Endpoint[] => [
  endpoint({
    route: "GET /healthz",
    id: "getHealth",
    summary: "Whether the process answers",
    callers: "anybody",
    answer: Alive,
    handle: async () => ok({ status: "ok" as const }),
  }),
  endpoint({
    route: "GET /readyz",
    id: "getReadiness",
    summary: "Whether it can do its work; 503 with the reasons when it cannot",
    callers: "anybody",
    answer: Readiness,
    handle: async () => {
      const { reasons, notes } = await readiness();
      if (reasons.length === 0) return ok({ ready: true, reasons: [], notes: [...notes] });
      const message = `The coordinator is not ready. ${reasons.join(" ")}`;
      return err({ code: "unavailable", message, retryAfterMs: 1000 });
    },
  }),
  endpoint({
    route: "GET /v1/version",
    id: "getVersion",
    summary: "Which coordinator this is, and which protocols it speaks",
    callers: "anybody",
    answer: ServiceVersion,
    handle: async () => ok({ version, protocol: PROTOCOL, oldestProtocol: OLDEST_PROTOCOL }),
  }),
  endpoint({
    route: "GET /openapi.json",
    id: "getOpenApi",
    summary: "This API as an OpenAPI 3.1 document",
    callers: "anybody",
    answer: Type.Object({}, { title: "OpenApiDocument" }),
    handle: async () => ok(document()),
  }),
];
