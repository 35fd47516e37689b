import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { BrandMark } from "../parts/brand.tsx";
import { Button } from "../parts/button.tsx";
import { Link } from "../router/link.tsx";
import { useRouter } from "../router/router.ts";
import { useStore } from "../store/store.ts";
import { LiveSign, StaleBanner } from "./live-sign.tsx";
import "./shell.css";

/** What is around every page: the way to all the others, whether it is live, and who looks. */
export function Shell({
  pages,
  children,
}: {
  /** What the navigation leads to. */
  readonly pages: readonly { readonly path: string; readonly nav?: string }[];
  readonly children: ComponentChildren;
}) {
  const open = useSignal(false);
  const { path } = useRouter();
  const at = path.value;
  // The page that was chosen is what one wants to see.
  useEffect(() => {
    open.value = false;
  }, [at]);
  return (
    <div class="shell">
      <a class="skip" href="#main">
        Skip to the page
      </a>
      <header class="shell-side" data-open={open.value}>
        <div class="shell-brand">
          <Link to="/" class="brand">
            <BrandMark />
            Baton
          </Link>
          <LiveSign />
          <button
            type="button"
            class="button shell-menu"
            aria-expanded={open.value}
            aria-controls="navigation"
            onClick={() => {
              open.value = !open.value;
            }}
          >
            Menu
          </button>
        </div>
        <nav id="navigation" class="shell-nav" aria-label="Pages">
          <ul>
            {pages.map((page) => (
              <li key={page.path}>
                <Link to={page.path} class="nav-link" current={isWithin(page.path, at)}>
                  {page.nav}
                </Link>
              </li>
            ))}
          </ul>
          <Me />
        </nav>
      </header>
      <main id="main" class="shell-main" tabIndex={-1}>
        <StaleBanner />
        <div class="page">{children}</div>
      </main>
    </div>
  );
}

function Me() {
  const { session } = useStore();
  const who = session.who.value;
  if (who.kind !== "in") return null;
  return (
    <div class="me">
      <p class="small">
        <span class="name">{who.me.name}</span> <span class="soft">{who.me.role}</span>
      </p>
      <Button onPress={() => void session.signOut()}>Sign out</Button>
    </div>
  );
}

const isWithin = (path: string, at: string): boolean =>
  path === "/" ? at === "/" : at === path || at.startsWith(`${path}/`);
