import { Shell } from "./layout/shell.tsx";
import { PAGES } from "./pages/all.ts";
import { NotFoundPage } from "./pages/not-found.tsx";
import { SignInPage } from "./pages/sign-in/page.tsx";
import { match } from "./router/match.ts";
import { useRouter } from "./router/router.ts";
import { useStore } from "./store/store.ts";

const NAVIGATION = PAGES.filter(({ nav }) => nav !== undefined);

/** Who is not signed in sees how to; everybody else the page of the address. */
export function App() {
  const { session } = useStore();
  const { path } = useRouter();
  const who = session.who.value;
  if (who.kind === "asking") return null;
  if (who.kind === "out" || path.value === "/sign-in") return <SignInPage />;
  for (const { path: pattern, component: Component } of PAGES) {
    const params = match(pattern, path.value);
    if (params === null) continue;
    return (
      <Shell pages={NAVIGATION}>
        <Component key={pattern} params={params} />
      </Shell>
    );
  }
  return (
    <Shell pages={NAVIGATION}>
      <NotFoundPage />
    </Shell>
  );
}
