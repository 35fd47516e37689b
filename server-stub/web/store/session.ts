/** Who looks at this page, and what they may do. The server decides; what is hidden here is only hidden. */
import { computed, type ReadonlySignal, signal } from "@preact/signals";
import type { OperatorRole, WhoAmI } from "../../../protocol/access.ts";
import type { Problem } from "../../../protocol/problem.ts";
import type { SignedIn, SignInRequest } from "../../../protocol/sign-in.ts";
import type { Answer, Client } from "../api/client.ts";

export type Who =
  | { readonly kind: "asking" }
  | { readonly kind: "in"; readonly me: WhoAmI }
  /** `why`: what ended it; null when nobody was signed in. */
  | { readonly kind: "out"; readonly why: string | null };

export type Session = {
  readonly who: ReadonlySignal<Who>;
  /** Whether the role is this one or above. */
  may(role: OperatorRole): boolean;
  ask(): Promise<void>;
  signIn(by: SignInRequest): Answer<SignedIn>;
  signOut(): Promise<void>;
  /** A request was not let in. */
  readonly ended: (why: Problem) => void;
};

const RANK: Readonly<Record<OperatorRole, number>> = { viewer: 0, operator: 1, admin: 2 };

export function createSession(client: () => Client): Session {
  const who = signal<Who>({ kind: "asking" });
  const rank = computed(() => (who.value.kind === "in" ? RANK[who.value.me.role] : -1));
  const ask = async (): Promise<void> => {
    const answer = await client().get<WhoAmI>("/v1/whoami");
    if (answer.ok) who.value = { kind: "in", me: answer.value };
    else if (answer.error.status === 401) who.value = { kind: "out", why: whyOf(answer.error) };
    // It cannot be reached: it is asked again until it can.
    else setTimeout(() => void ask(), 2_000);
  };
  return {
    who,
    may: (role) => rank.value >= RANK[role],
    ask,
    async signIn(by) {
      const answer = await client().send<SignedIn>("POST", "/v1/sign-in", by);
      if (answer.ok) {
        const { id, name, role } = answer.value;
        who.value = { kind: "in", me: { id, name, role } };
      }
      return answer;
    },
    async signOut() {
      await client().send("POST", "/v1/sign-out");
      who.value = { kind: "out", why: null };
    },
    ended(why) {
      if (who.value.kind === "in") who.value = { kind: "out", why: whyOf(why) ?? EXPIRED };
    },
  };
}

/** A browser lets go of a cookie that has expired: then the coordinator does not know that there was one. */
const EXPIRED = "You are signed in no longer: the time of the sign-in, or of its token, is over.";

/** Nobody was signed in, which is nothing to be told. */
const whyOf = ({ detail }: Problem): string | null => (/none was given/.test(detail) ? null : detail);
