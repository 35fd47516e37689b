import type { Readable } from "node:stream";
import type { FastifyInstance } from "fastify";
import type { Result } from "../../../protocol/result.ts";
import { Type } from "../../../protocol/schema.ts";
import type { Principal, Refusal } from "../../service/coordinator.ts";
import { PROBLEM_ANSWER } from "../endpoint.ts";
import { refuse } from "../problems.ts";

/** Makes a backup, to be read to its end. */
export type OpenBackup = (
  by: Principal,
  choice: { readonly withKeys: boolean; readonly withBundles: boolean },
) => Promise<Result<Readable, Refusal>>;

const Choice = Type.Object(
  { keys: Type.Optional(Type.Boolean()), bundles: Type.Optional(Type.Boolean()) },
  { additionalProperties: false },
);

/**
 * `GET /v1/backup`, for whoever may open the control socket: what it holds (keys, hashes of credentials) does not
 * travel over the network, whatever the token.
 */
export function backupRoute(app: FastifyInstance, openBackup: OpenBackup | undefined): void {
  app.route({
    method: "GET",
    url: "/v1/backup",
    schema: {
      operationId: "readBackup",
      summary: "A backup of everything, over the control socket alone",
      tags: ["service"],
      security: [{ bearer: [] }],
      querystring: Choice,
      response: {
        200: {
          description: "A tar archive under zstd",
          content: {
            "application/zstd": { schema: Type.Unsafe<Buffer>({ type: "string", format: "binary" }) },
          },
        },
        default: PROBLEM_ANSWER,
      },
    },
    handler: async (request, reply) => {
      const { caller } = request;
      if (openBackup === undefined || caller === null || !isLocal(caller))
        return refuse(request, reply, ELSEWHERE);
      const { keys = true, bundles = false } = request.query as { keys?: boolean; bundles?: boolean };
      const stream = await openBackup(caller, { withKeys: keys, withBundles: bundles });
      if (!stream.ok) return refuse(request, reply, stream.error);
      return reply.header("cache-control", "no-store").type("application/zstd").send(stream.value);
    },
  });
}

/** Came in by the control socket. */
const isLocal = (caller: Principal): boolean =>
  caller.kind === "operator" && caller.id === "local" && caller.from === "control socket";

const ELSEWHERE: Refusal = {
  code: "forbidden",
  message: "A backup is made on the coordinator's own machine; nothing was read.",
  hint: "Say there: coordinator backup FILE.",
};
