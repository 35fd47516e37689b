/**
 * A route as data: where it is, what it takes and answers, and what it does. One place turns it into a route of
 * the server; validation, types and the OpenAPI document all come from the same schemas. The manners of all routes
 * are here as well: a cursor is of one list, a POST with an `Idempotency-Key` is done once, an answer that can be
 * edited has an `ETag`.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { Problem } from "../../protocol/problem.ts";
import type { Result } from "../../protocol/result.ts";
import { type Static, type TSchema, Type } from "../../protocol/schema.ts";
import { NoBody } from "../../protocol/service.ts";
import type { IfMatch, Principal, Refusal } from "../service/coordinator.ts";
import { markedCursor, unmarkedCursor } from "./cursors.ts";
import { IDEMPOTENCY_HEADER, type Once, onceHeaders, takesKey } from "./once.ts";
import { isOpen, type RouteKey } from "./permissions.ts";
import { PROBLEM_TYPE, refuse } from "./problems.ts";

export type NodeCaller = Extract<Principal, { kind: "node" }>;
export type OperatorCaller = Extract<Principal, { kind: "operator" }>;

/** Who calls an endpoint, as its handler sees it. The permission table lets nobody else in. */
type Callers = { anybody: Principal | null; known: Principal; node: NodeCaller; operator: OperatorCaller };

type Schemas<P extends TSchema, Q extends TSchema, B extends TSchema, W extends keyof Callers> = {
  readonly route: RouteKey;
  /** Name of the operation, for clients that are generated. */
  readonly id: string;
  readonly summary: string;
  readonly callers: W;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  readonly maxBodyBytes?: number;
  /** Media type of an answer that is a stream of something else than JSON. */
  readonly type?: string;
  /** The answer of this POST holds a secret: it is never stored, and so never given again. */
  readonly secret?: true;
};

type Call<P extends TSchema, Q extends TSchema, B extends TSchema, W extends keyof Callers> = {
  readonly by: Callers[W];
  readonly params: Static<P>;
  readonly query: Static<Q>;
  readonly body: Static<B>;
  readonly ifMatch: IfMatch;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
};

type Spec<
  P extends TSchema,
  Q extends TSchema,
  B extends TSchema,
  A extends TSchema,
  W extends keyof Callers,
> = Schemas<P, Q, B, W> & {
  readonly answer: A;
  /** Status of success; 200 unless told otherwise. */
  readonly status?: 201 | 202;
  /**
   * The answer can be edited, and this is its ETag (see `service/tags.ts`). The `If-Match` of a PATCH, PUT or DELETE is
   * handed on as `ifMatch`; the service compares it with what it reads in the attempt that writes.
   */
  readonly etag?: (answer: Static<A>) => string;
  readonly handle: (call: Call<P, Q, B, W>) => Promise<Result<Static<A>, Refusal>>;
};

/** By status of success what is answered with it. */
type Answers = Readonly<Partial<Record<200 | 201 | 202, TSchema>>>;
type Answered<M extends Answers> = {
  [S in keyof M]: { readonly status: S; readonly body: M[S] extends TSchema ? Static<M[S]> : never };
}[keyof M];

type VariedSpec<
  P extends TSchema,
  Q extends TSchema,
  B extends TSchema,
  M extends Answers,
  W extends keyof Callers,
> = Schemas<P, Q, B, W> & {
  readonly answers: M;
  readonly handle: (call: Call<P, Q, B, W>) => Promise<Result<Answered<M>, Refusal>>;
};

/** What the routes of one server share. */
export type Manners = { readonly once: Once };

export type Endpoint = { readonly route: RouteKey; mount(app: FastifyInstance, manners: Manners): void };

const Nothing = Type.Object({});

/** A route whose success has one status. */
export function endpoint<
  A extends TSchema,
  W extends keyof Callers,
  P extends TSchema = typeof Nothing,
  Q extends TSchema = typeof Nothing,
  B extends TSchema = typeof NoBody,
>(spec: Spec<P, Q, B, A, W>): Endpoint {
  const { answer, status = 200, etag } = spec;
  return mounted(spec, { [status]: answer }, spec.handle, (body, reply) => {
    if (etag !== undefined) reply.header("etag", etag(body));
    return { status, body };
  });
}

/** A route that answers with one thing or another, each under a status of its own. */
export function variedEndpoint<
  M extends Answers,
  W extends keyof Callers,
  P extends TSchema = typeof Nothing,
  Q extends TSchema = typeof Nothing,
  B extends TSchema = typeof NoBody,
>(spec: VariedSpec<P, Q, B, M, W>): Endpoint {
  return mounted(spec, spec.answers, spec.handle, (answered) => ({
    status: Number(answered.status),
    body: answered.body,
  }));
}

function mounted<P extends TSchema, Q extends TSchema, B extends TSchema, W extends keyof Callers, T>(
  spec: Schemas<P, Q, B, W> & { readonly etag?: unknown },
  answers: Answers,
  handle: (call: Call<P, Q, B, W>) => Promise<Result<T, Refusal>>,
  answeredWith: (value: T, reply: FastifyReply) => { readonly status: number; readonly body: unknown },
): Endpoint {
  const [method, url] = splitRoute(spec.route);
  const body = spec.body ?? (method === "POST" ? NoBody : undefined);
  const tagged = spec.etag !== undefined;
  return {
    route: spec.route,
    mount: (app, { once }) => {
      app.route({
        method,
        url,
        ...(spec.maxBodyBytes === undefined ? {} : { bodyLimit: spec.maxBodyBytes }),
        schema: {
          operationId: spec.id,
          summary: spec.summary,
          tags: [tagOf(url)],
          security: isOpen(spec.route) ? [] : [{ bearer: [] }],
          ...(spec.params === undefined ? {} : { params: spec.params }),
          querystring: spec.query ?? Type.Object({}, { additionalProperties: false }),
          ...(body === undefined ? {} : { body }),
          ...headersOf(spec),
          response: {
            ...Object.fromEntries(
              Object.entries(answers).map(([status, schema]) => [
                status,
                answerOf(schema, tagged, spec.type),
              ]),
            ),
            default: PROBLEM_ANSWER,
          },
        },
        preValidation: async (request) => {
          // No body at all means one without members, where none is needed.
          if (body !== undefined && request.body === undefined) request.body = {};
        },
        handler: async (request, reply) => {
          const list = [spec.route, request.params];
          const query = unmarkedCursor(list, request.query as Static<Q>);
          if (!query.ok) return refuse(request, reply, query.error);
          const run = () =>
            handle({
              by: callerAs(spec.callers, request.caller),
              params: request.params as Static<P>,
              query: query.value,
              body: request.body as Static<B>,
              ifMatch: request.headers["if-match"] ?? null,
              request,
              reply,
            });
          const result = takesKey(spec)
            ? await once(request, reply, { secret: spec.secret === true }, run)
            : await run();
          if (!result.ok) return refuse(request, reply, result.error);
          const answered = answeredWith(result.value, reply);
          if (spec.secret === true) reply.header("cache-control", "no-store");
          if (spec.type !== undefined) return reply.code(answered.status).type(spec.type).send(answered.body);
          return reply.code(answered.status).send(markedCursor(list, answered.body));
        },
      });
    },
  };
}

/** The caller as the endpoint declares it. Throws when the permission table let in somebody else: a bug. */
function callerAs<W extends keyof Callers>(callers: W, caller: Principal | null): Callers[W] {
  const fits = callers === "anybody" || (caller !== null && (callers === "known" || caller.kind === callers));
  if (!fits) throw new Error(`the permission table let a ${caller?.kind ?? "stranger"} in for ${callers}`);
  return caller as Callers[W];
}

export const splitRoute = (route: RouteKey): [method: string, url: string] => {
  const space = route.indexOf(" ");
  return [route.slice(0, space), route.slice(space + 1)];
};

/** `/v1/nodes/:nodeId/approve` belongs to `nodes`. */
export const tagOf = (url: string): string => /^\/(?:v1\/)?([a-z-]+)/.exec(url)?.[1] ?? "service";

const described = (schema: TSchema): string => (schema as { title?: string }).title ?? "Done";

const answerOf = (schema: TSchema, tagged: boolean, type = "application/json") => ({
  description: described(schema),
  ...(tagged ? { headers: { etag: { type: "string", description: "Of what is configured of it" } } } : {}),
  content: { [type]: { schema } },
});

/** The headers that an endpoint understands, as the document shows them and the server checks them. */
function headersOf(spec: {
  readonly route: RouteKey;
  readonly callers: keyof Callers;
  readonly etag?: unknown;
}) {
  const headers = {
    ...(takesKey(spec) ? { [IDEMPOTENCY_HEADER]: Type.Optional(onceHeaders) } : {}),
    ...(spec.etag !== undefined && !/^(GET|POST) /.test(spec.route)
      ? { "if-match": Type.Optional(Type.String({ description: "The ETag that it must still have" })) }
      : {}),
  };
  return Object.keys(headers).length === 0 ? {} : { headers: Type.Object(headers) };
}

export const PROBLEM_ANSWER = {
  description: "Refused; nothing was changed",
  content: { [PROBLEM_TYPE]: { schema: Problem } },
};
