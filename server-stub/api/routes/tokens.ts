import {
  CreateJoinTokenRequest,
  CreateTokenRequest,
  JoinToken,
  JoinTokenCreated,
  JoinTokenList,
  OperatorToken,
  TokenCreated,
  TokenList,
  WhoAmI,
} from "../../../protocol/access.ts";
import { newestFirst, PageQuery, pageOf } from "../../../protocol/paging.ts";
import { ok } from "../../../protocol/result.ts";
import { Type } from "../../../protocol/schema.ts";
import type { Coordinator } from "../../service/coordinator.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";

const params = Type.Object({ tokenId: Type.String({ pattern: "^[A-Za-z0-9_-]{1,64}$" }) });

/** Secrets of operators, and of nodes that are to join. Each secret is answered once and never again. */
export const tokenRoutes = (
  { access }: Pick<Coordinator, "access">,
  join: { readonly publicUrl: () => string; readonly rootFingerprint: () => string | null },
): readonly Endpoint[] => [
  endpoint({
    route: "GET /v1/whoami",
    id: "whoAmI",
    summary: "Whose token this is, and what it may do",
    callers: "operator",
    answer: WhoAmI,
    handle: async ({ by: { id, name, role } }) => ok({ id, name, role }),
  }),
  endpoint({
    route: "GET /v1/tokens",
    id: "listTokens",
    summary: "The operators' tokens, without their secrets",
    callers: "operator",
    query: PageQuery,
    answer: TokenList,
    handle: async ({ query }) => {
      const page = pageOf(
        await access.listTokens(),
        ({ createdAt, id }) => newestFirst(createdAt, id),
        query,
      );
      return page.ok ? ok({ tokens: page.value.items, next: page.value.next }) : page;
    },
  }),
  endpoint({
    route: "POST /v1/tokens",
    id: "createToken",
    summary: "A token for an operator",
    callers: "operator",
    body: CreateTokenRequest,
    answer: TokenCreated,
    status: 201,
    secret: true,
    handle: ({ by, body }) => access.createToken(by, body),
  }),
  endpoint({
    route: "POST /v1/tokens/:tokenId/revoke",
    id: "revokeToken",
    summary: "Take a token back",
    callers: "operator",
    params,
    answer: OperatorToken,
    handle: ({ by, params }) => access.revokeToken(by, params.tokenId),
  }),
  endpoint({
    route: "GET /v1/join-tokens",
    id: "listJoinTokens",
    summary:
      "The tokens by which nodes join, newest first, without their secrets; used up and revoked ones too",
    callers: "operator",
    query: PageQuery,
    answer: JoinTokenList,
    handle: async ({ query }) => {
      const all = await access.listJoinTokens();
      const page = pageOf(all, ({ createdAt, id }) => newestFirst(createdAt, id), query);
      return page.ok ? ok({ joinTokens: page.value.items, next: page.value.next }) : page;
    },
  }),
  endpoint({
    route: "POST /v1/join-tokens/:tokenId/revoke",
    id: "revokeJoinToken",
    summary: "Take a join token back; who has joined by it stays",
    callers: "operator",
    params,
    answer: JoinToken,
    handle: ({ by, params }) => access.revokeJoinToken(by, params.tokenId),
  }),
  endpoint({
    route: "POST /v1/join-tokens",
    id: "createJoinToken",
    summary: "A token by which nodes join a group, and the line to run on them",
    callers: "operator",
    body: CreateJoinTokenRequest,
    answer: JoinTokenCreated,
    status: 201,
    secret: true,
    handle: async ({ by, body }) => {
      const created = await access.createJoinToken(by, body);
      if (!created.ok) return created;
      const fingerprint = join.rootFingerprint();
      return ok({
        ...created.value,
        rootFingerprint: fingerprint,
        // In the environment: what stands on a command line can be read by everybody on the machine.
        command: `BATON_JOIN_TOKEN=${created.value.secret} agent join ${join.publicUrl()} --root-fingerprint ${fingerprint ?? "FINGERPRINT"}`,
      });
    },
  }),
];
