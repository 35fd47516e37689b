import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Problem } from "../../../../protocol/problem.ts";
import type { SignInRequest } from "../../../../protocol/sign-in.ts";
import { BrandMark } from "../../parts/brand.tsx";
import { Button } from "../../parts/button.tsx";
import { ProblemNote } from "../../parts/problem.tsx";
import { useRouter } from "../../router/router.ts";
import { useStore } from "../../store/store.ts";
import "../../parts/field.css";
import "./sign-in.css";

/**
 * Stands in place of whatever page was asked for, which is there once one is signed in. A link signs in by what is
 * behind its `#`, which leaves the address bar at once.
 */
export function SignInPage() {
  const { session } = useStore();
  const router = useRouter();
  const field = useRef<HTMLInputElement>(null);
  const token = useSignal("");
  const busy = useSignal(false);
  const refused = useSignal<Problem | null>(null);
  const who = session.who.value;

  const signIn = async (by: SignInRequest): Promise<void> => {
    busy.value = true;
    refused.value = null;
    const answer = await session.signIn(by);
    busy.value = false;
    if (answer.ok) onward();
    else refused.value = answer.error;
  };
  const onward = (): void => {
    if (router.path.peek() === "/sign-in") router.go("/", { replace: true });
  };
  useEffect(() => {
    document.title = "Sign in · Baton";
    field.current?.focus();
    const link = location.hash.slice(1);
    if (link !== "") {
      history.replaceState(null, "", location.pathname + location.search);
      void signIn({ link });
    } else if (who.kind === "in") onward();
  }, []);

  return (
    <main class="sign-in">
      <div class="sign-in-brand">
        <BrandMark />
        <h1>Baton</h1>
      </div>
      {who.kind === "out" && who.why !== null ? <p role="status">{who.why}</p> : null}
      <form
        class="sign-in-form"
        onSubmit={(event) => {
          event.preventDefault();
          if (token.value.trim() !== "" && !busy.value) void signIn({ token: token.value.trim() });
        }}
      >
        <div class="field">
          <label for="token">Token</label>
          <input
            id="token"
            class="input"
            type="password"
            autoComplete="current-password"
            spellcheck={false}
            ref={field}
            required
            aria-describedby="token-help"
            value={token.value}
            onInput={(event) => {
              token.value = event.currentTarget.value;
            }}
          />
          <p id="token-help" class="soft small">
            An operator's token. It is exchanged for a cookie, and not kept in this browser.
          </p>
        </div>
        {refused.value === null ? null : <ProblemNote problem={refused.value} />}
        <Button kind="primary" type="submit" why={busy.value ? "It is being asked for" : null}>
          Sign in
        </Button>
      </form>
      <p class="soft small">
        No token? On the coordinator's machine, <code>coordinator sign-in-link</code> prints an address that
        opens this page once.
      </p>
    </main>
  );
}
