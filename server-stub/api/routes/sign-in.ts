import type { FastifyReply, FastifyRequest } from "fastify";
import { err, ok } from "../../../protocol/result.ts";
import { NoBody } from "../../../protocol/service.ts";
import { SignedIn, SignInLink, SignInRequest } from "../../../protocol/sign-in.ts";
import type { Coordinator, Refusal } from "../../service/coordinator.ts";
import { cookieWith, isSecure, secretIn } from "../cookie.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";
import { crossSiteRefusal } from "../same-site.ts";
import { createStrikes, type Strikes } from "../strikes.ts";

/** How a browser comes to its cookie, and is rid of it. */
export function signInRoutes(
  { signIns }: Pick<Coordinator, "signIns">,
  publicUrl: () => string,
  strikes: Strikes = createStrikes(),
): readonly Endpoint[] {
  const secure = () => isSecure(publicUrl());
  const refusalOf = (request: FastifyRequest) => crossSiteRefusal(request, publicUrl());
  const forget = (reply: FastifyReply) => reply.header("set-cookie", cookieWith(null, 0, secure()));
  return [
    endpoint({
      route: "POST /v1/sign-in",
      id: "signIn",
      summary: "Exchange a token, or a sign-in link, for the cookie of a browser",
      callers: "anybody",
      body: SignInRequest,
      answer: SignedIn,
      secret: true,
      handle: async ({ body, request, reply }) => {
        const foreign = refusalOf(request);
        if (foreign !== null) return err(foreign);
        const { ip: from } = request;
        const admitted = await ("token" in body
          ? signIns.byToken(body.token, from)
          : signIns.byLink(body.link, from));
        if (admitted === null) {
          const struck = strikes.strike(from);
          return struck.ok ? err("token" in body ? WRONG_TOKEN : WRONG_LINK) : struck;
        }
        const { secret, forMs, signedIn } = admitted;
        // Whoever was signed in before in this browser is not any more.
        const before = secretIn(request.headers, secure());
        if (before !== null) await signIns.end(before, from);
        reply.header("set-cookie", cookieWith(secret, forMs, secure()));
        return ok(signedIn);
      },
    }),
    endpoint({
      route: "POST /v1/sign-out",
      id: "signOut",
      summary: "End what this browser's cookie stands for; nothing where there is none",
      callers: "anybody",
      answer: NoBody,
      handle: async ({ request, reply }) => {
        const foreign = refusalOf(request);
        if (foreign !== null) return err(foreign);
        const secret = secretIn(request.headers, secure());
        if (secret !== null) await signIns.end(secret, request.ip);
        forget(reply);
        return ok({});
      },
    }),
    endpoint({
      route: "POST /v1/sign-in-links",
      id: "createSignInLink",
      summary: "An address that signs a browser in as the caller, for ten minutes and once",
      callers: "operator",
      answer: SignInLink,
      status: 201,
      secret: true,
      handle: ({ by }) => signIns.createLink(by, publicUrl()),
    }),
  ];
}

const WRONG_TOKEN: Refusal = {
  code: "unauthorized",
  message: "This token is unknown, expired or revoked.",
  hint: "An administrator makes one with: baton tokens create.",
};

const WRONG_LINK: Refusal = {
  code: "unauthorized",
  message: "This link was used already, or has expired.",
  hint: "Make another one with: coordinator sign-in-link.",
};
