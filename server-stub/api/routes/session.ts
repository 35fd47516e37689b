import { JoinReply, JoinRequest } from "../../../protocol/access.ts";
import { AgentFrames, CoordinatorFrames, SUBPROTOCOL } from "../../../protocol/frames.ts";
import { DesiredView } from "../../../protocol/node.ts";
import { err, ok } from "../../../protocol/result.ts";
import type { Coordinator } from "../../service/coordinator.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";
import { isLoopback } from "../loopback.ts";
import { createStrikes } from "../strikes.ts";

/** What agents say: joining, and the frames of a session without a WebSocket. */
export const sessionRoutes = (
  { access, sessions, nodes }: Pick<Coordinator, "access" | "sessions" | "nodes">,
  { insecureHttp }: { readonly insecureHttp: boolean },
  strikes = createStrikes(),
): readonly Endpoint[] => [
  endpoint({
    route: "POST /v1/join",
    id: "join",
    summary: "Become a node, by a join token",
    callers: "anybody",
    body: JoinRequest,
    answer: JoinReply,
    status: 201,
    secret: true,
    handle: async ({ body, request }) => {
      // The reply carries a credential: over plain HTTP it must not leave this machine, as a Unix socket never does.
      const address: string | undefined = request.ip;
      const isLocal = address === undefined || isLoopback(address);
      if (request.protocol !== "https" && !insecureHttp && !isLocal) {
        return err({
          code: "join-insecure",
          message: "Joining over plain HTTP was refused: the node's credential could be read on the way.",
          hint: "Give the coordinator a certificate ([tls]), or tell it insecure_http = true.",
        });
      }
      const from = address ?? "control socket";
      const joined = await access.join(body, from);
      // A wrong join token is a wrong credential like any other.
      const struck =
        joined.ok || joined.error.code !== "join-token-invalid" ? ok(undefined) : strikes.strike(from);
      return struck.ok ? joined : struck;
    },
  }),
  endpoint({
    route: "GET /v1/session",
    id: "openSession",
    summary: `A session's frames over WebSocket (subprotocol ${SUBPROTOCOL}); see docs/PROTOCOL.md`,
    callers: "node",
    answer: CoordinatorFrames,
    handle: async ({ reply }) => {
      reply.header("upgrade", "websocket").header("connection", "upgrade");
      return err({
        code: "upgrade-required",
        message: "A session is opened by upgrading to a WebSocket.",
        hint: "Without one, send the same frames to POST /v1/heartbeat.",
      });
    },
  }),
  endpoint({
    route: "POST /v1/heartbeat",
    id: "sendFrames",
    summary: "A session's frames without a WebSocket: takes the agent's, answers the coordinator's",
    callers: "node",
    body: AgentFrames,
    answer: CoordinatorFrames,
    handle: async ({ by, body }) =>
      ok({ frames: [...(await sessions.receive(by.nodeId, body.frames, by.from))] }),
  }),
  endpoint({
    route: "GET /v1/desired",
    id: "getDesired",
    summary: "Which release the asking node should be on",
    callers: "node",
    answer: DesiredView,
    handle: async ({ by }) => {
      const node = await nodes.get(by.nodeId);
      if (!node.ok) return node;
      const { id, group, desired, behind, jobId, reason } = node.value;
      return ok({ nodeId: id, group, release: desired, behind, jobId, reason });
    },
  }),
];
