import type { FastifyReply, FastifyRequest } from "fastify";
import { EVENT_KINDS, type EventKind, FleetEvent } from "../../../protocol/event.ts";
import { type Static, Type } from "../../../protocol/schema.ts";
import type { Coordinator } from "../../service/coordinator.ts";
import type { EventStream } from "../../service/events/stream.ts";
import { type Identify, refusalFor } from "../authorize.ts";
import { type Endpoint, PROBLEM_ANSWER } from "../endpoint.ts";
import { STREAM_TIMES, writeEvents } from "../event-stream.ts";
import { refuse } from "../problems.ts";

const ROUTE = "GET /v1/events";
const anyKind = `(?:${EVENT_KINDS.join("|")})`;

const Query = Type.Object(
  {
    after: Type.Optional(
      Type.String({
        pattern: "^[0-9]{1,10}-[0-9]{1,16}$",
        description: "Id of the last event that was read, where the header Last-Event-ID cannot be set",
      }),
    ),
    kinds: Type.Optional(
      Type.String({
        pattern: `^${anyKind}(?:,${anyKind})*$`,
        description: `Only these, with commas between them: ${EVENT_KINDS.join(", ")}`,
      }),
    ),
  },
  { additionalProperties: false },
);

/** What changes in the fleet, as server-sent events. `times` are other than usual only in tests. */
export const eventsRoute = (
  { events }: Pick<Coordinator, "events">,
  identify: Identify,
  times: Record<keyof typeof STREAM_TIMES, number> = STREAM_TIMES,
): Endpoint => ({
  route: ROUTE,
  mount: (app) => {
    const open = new Set<EventStream>();
    // A stream that is open would hold up the end of the server.
    app.addHook("preClose", async () => {
      for (const stream of open) stream.close();
    });
    app.route({
      method: "GET",
      url: "/v1/events",
      exposeHeadRoute: false,
      schema: {
        operationId: "streamEvents",
        summary:
          "What changes, from now on or after Last-Event-ID; an event `reset` says that everything is to be read anew",
        tags: ["events"],
        security: [{ bearer: [] }],
        querystring: Query,
        response: {
          200: {
            description: "Server-sent events; the data of each without a name is a FleetEvent",
            content: { "text/event-stream": { schema: FleetEvent } },
          },
          default: PROBLEM_ANSWER,
        },
      },
      handler: async (request, reply) => {
        const { caller } = request;
        if (caller === null) throw new Error("the permission table let a stranger in for events");
        const { after, kinds } = request.query as Static<typeof Query>;
        const header = request.headers["last-event-id"];
        const opened = await events.open(caller, {
          after: (Array.isArray(header) ? header.join() : header) ?? after ?? null,
          kinds: kinds === undefined ? null : new Set(kinds.split(",") as EventKind[]),
        });
        if (!opened.ok) return refuse(request, reply, opened.error);
        const stream = opened.value;
        open.add(stream);
        stream.signal.addEventListener("abort", () => open.delete(stream), { once: true });
        begin(request, reply);
        await writeEvents(reply.raw, stream, async () => mayRead(await identify(whoOf(request))), times);
        return reply;
      },
    });
  },
});

const whoOf = (request: FastifyRequest) => ({ headers: request.headers, from: request.ip });

const mayRead = (who: Awaited<ReturnType<Identify>>): boolean =>
  who.ok && refusalFor(ROUTE, who.value) === null;

/** From here on the response is ours; nothing on the way may hold back what is written. */
function begin(request: FastifyRequest, reply: FastifyReply): void {
  reply.hijack();
  reply.raw.writeHead(200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store, no-transform",
    "x-accel-buffering": "no",
    "x-content-type-options": "nosniff",
    "x-request-id": request.id,
  });
  reply.raw.flushHeaders();
}
