import type { FastifyInstance } from "fastify";
import { Type } from "../../../protocol/schema.ts";
import type { Refusal } from "../../service/coordinator.ts";
import { PROBLEM_ANSWER } from "../endpoint.ts";
import { refuse } from "../problems.ts";

/** What the API needs to tell metrics and to feed them. */
export type MetricsDoor = {
  readonly contentType: string;
  text(): Promise<string>;
  answered(request: {
    readonly route: string | null;
    readonly method: string;
    readonly status: number;
    readonly tookMs: number;
    readonly code: string | null;
  }): void;
};

/** `GET /metrics`, in Prometheus's text format; refused where nobody counts. */
export const metricsRoute = (app: FastifyInstance, metrics: MetricsDoor | undefined): void => {
  app.route({
    method: "GET",
    url: "/metrics",
    schema: {
      operationId: "getMetrics",
      summary: "Metrics in the text format of Prometheus",
      tags: ["service"],
      security: [{ bearer: [] }],
      querystring: Type.Object({}),
      response: {
        200: {
          description: "The metrics; docs/METRICS.md lists them",
          content: { "text/plain": { schema: Type.String() } },
        },
        default: PROBLEM_ANSWER,
      },
    },
    serializerCompiler: () => (value) => String(value),
    handler: async (request, reply) => {
      if (metrics === undefined) return refuse(request, reply, NOBODY_COUNTS);
      const text = await metrics.text();
      return reply.header("cache-control", "no-store").type(metrics.contentType).send(text);
    },
  });
};

const NOBODY_COUNTS: Refusal = { code: "unavailable", message: "This coordinator counts nothing." };
