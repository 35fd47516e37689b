import { PageHead } from "../../parts/page-head.tsx";
import { useStore } from "../../store/store.ts";
import { NewJoinToken } from "./new-token.tsx";
import { Pending } from "./pending.tsx";
import { JoinTokens } from "./tokens.tsx";

/** How nodes come in: who waits to be approved, and the tokens that they join by. */
export function JoinPage() {
  const { session } = useStore();
  return (
    <>
      <PageHead title="Join">
        <NewJoinToken />
      </PageHead>
      <Pending />
      {session.may("admin") ? <JoinTokens /> : null}
    </>
  );
}
